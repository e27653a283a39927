// Package pg owns a service's connections to Postgres: a pool that starts and stops, transactions with one `now`, and
// migrations. It speaks no SQL of any service; statements live in their stores.
package pg

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/naksha-cloud/naksha/pkg/clock"
	"github.com/naksha-cloud/naksha/pkg/fault"
)

// Config says where and how to connect.
type Config struct {
	URL      string                      // connection string; its search_path must name the service's schema first
	MaxConns int32                       // upper bound of connections; 0 = 8
	Clock    clock.Clock                 // source of each transaction's now; nil = the machine's
	Tracer   pgx.QueryTracer             // nil = none
	Prepare  func(*pgx.ConnConfig) error // last word before each connect, e.g. a rotated password; nil = none
}

// Pool is a set of connections that can be started, stopped and started again.
type Pool struct {
	config Config
	inner  atomic.Pointer[pgxpool.Pool]
}

// New returns a stopped Pool. It refuses a malformed URL when it starts.
func New(c Config) *Pool {
	if c.Clock == nil {
		c.Clock = clock.System()
	}
	if c.MaxConns == 0 {
		c.MaxConns = 8
	}
	return &Pool{config: c}
}

// Start connects once, so that a wrong address or password is an error here and not at the first query.
func (p *Pool) Start(ctx context.Context) error {
	settings, err := pgxpool.ParseConfig(p.config.URL)
	if err != nil {
		return fmt.Errorf("read database URL: %w", redact(err))
	}
	settings.MaxConns = p.config.MaxConns
	settings.MaxConnIdleTime = 5 * time.Minute
	settings.ConnConfig.Tracer = p.config.Tracer
	settings.ConnConfig.ConnectTimeout = 10 * time.Second
	if p.config.Prepare != nil {
		settings.BeforeConnect = func(_ context.Context, c *pgx.ConnConfig) error { return p.config.Prepare(c) }
	}
	inner, err := pgxpool.NewWithConfig(ctx, settings)
	if err != nil {
		return fmt.Errorf("open pool: %w", redact(err))
	}
	if err := inner.Ping(ctx); err != nil {
		inner.Close()
		return fmt.Errorf("connect to Postgres at %s:%d: %w", settings.ConnConfig.Host, settings.ConnConfig.Port, redact(err))
	}
	if old := p.inner.Swap(inner); old != nil {
		old.Close()
	}
	return nil
}

// Stop closes all connections after their queries ended. A second Stop does nothing.
func (p *Pool) Stop(context.Context) error {
	if inner := p.inner.Swap(nil); inner != nil {
		inner.Close()
	}
	return nil
}

// Reset replaces every connection: idle ones now, busy ones when they are given back. Used after a credential changed.
func (p *Pool) Reset() {
	if inner := p.inner.Load(); inner != nil {
		inner.Reset()
	}
}

// Ready says whether a connection answers.
func (p *Pool) Ready(ctx context.Context) error {
	inner, err := p.started()
	if err != nil {
		return err
	}
	return inner.Ping(ctx)
}

// Raw is the underlying pool, for libraries that need it; nil while stopped.
func (p *Pool) Raw() *pgxpool.Pool { return p.inner.Load() }

// Now is the clock that transactions take their time from.
func (p *Pool) Now() time.Time { return p.config.Clock.Now().Truncate(time.Microsecond) }

func (p *Pool) started() (*pgxpool.Pool, error) {
	if inner := p.inner.Load(); inner != nil {
		return inner, nil
	}
	return nil, fault.Unavailable("DATABASE_STOPPED", "The service is not started.").WithRemedy("Try again.")
}

// Exec runs one statement outside of a transaction.
func (p *Pool) Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error) {
	inner, err := p.started()
	if err != nil {
		return pgconn.CommandTag{}, err
	}
	return inner.Exec(ctx, sql, args...)
}

// Query runs one query outside of a transaction.
func (p *Pool) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	inner, err := p.started()
	if err != nil {
		return nil, err
	}
	return inner.Query(ctx, sql, args...)
}

// QueryRow runs one query of at most one row outside of a transaction.
func (p *Pool) QueryRow(ctx context.Context, sql string, args ...any) pgx.Row {
	inner, err := p.started()
	if err != nil {
		return failedRow{err}
	}
	return inner.QueryRow(ctx, sql, args...)
}

type failedRow struct{ err error }

func (r failedRow) Scan(...any) error { return r.err }

// Constraint returns the name of the constraint that err violates, or "": stores map it to a fault.
func Constraint(err error) string {
	var e *pgconn.PgError
	if errors.As(err, &e) {
		return e.ConstraintName
	}
	return ""
}

// SQLState returns the five-letter code of err (Postgres, appendix A), or "".
func SQLState(err error) string {
	var e *pgconn.PgError
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

// redact drops the connection string from pgx's parse errors.
func redact(err error) error {
	var parse *pgconn.ParseConfigError
	if errors.As(err, &parse) {
		return errors.New("the connection string is malformed")
	}
	return err
}
