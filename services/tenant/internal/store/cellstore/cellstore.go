// Package cellstore acts in a cell: slots, logins, restores. It is the only package that speaks SQL to a cell, with the
// DDL login that the tenant service alone holds. Every act is one transaction and idempotent: what exists is adopted.
// Arguments reach DDL through settings of the transaction and format(), never by pasting text together.
package cellstore

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"maps"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/naksha-cloud/naksha/pkg/pg"
	"github.com/naksha-cloud/naksha/services/tenant/internal/cell"
)

//go:embed query/*.sql
var queries embed.FS

func query(name string) string {
	text, err := queries.ReadFile("query/" + name + ".sql")
	if err != nil {
		panic(err) // the names are this package's own
	}
	return string(text)
}

// Config says how to act in a cell.
type Config struct {
	Pool     *pg.Pool      // as the DDL login; stopped
	Server   string        // id
	LockWait time.Duration // how long a swap waits politely before it ends the workspace's sessions
	Deadline time.Duration // of a whole swap
}

// Cell is one cell. It connects at its first use, so that the service starts, and checks keys, while a cell is down.
type Cell struct {
	config Config
	ready  atomic.Bool   // connected and set up
	gate   chan struct{} // holds a token while somebody connects
}

// New returns a Cell that is not connected.
func New(c Config) *Cell { return &Cell{config: c, gate: make(chan struct{}, 1)} }

// Start does nothing: the first use connects.
func (c *Cell) Start(context.Context) error { return nil }

// Stop closes the connections.
func (c *Cell) Stop(ctx context.Context) error {
	c.gate <- struct{}{}
	defer func() { <-c.gate }()
	c.ready.Store(false)
	return c.config.Pool.Stop(ctx)
}

// Ready says whether the cell answers and its walls stand.
func (c *Cell) Ready(ctx context.Context) error {
	if err := c.connect(ctx); err != nil {
		return err
	}
	return reachable(c.config.Pool.Ready(ctx))
}

// connect opens the pool and sets the cell up, once.
func (c *Cell) connect(ctx context.Context) error {
	if c.ready.Load() {
		return nil
	}
	select {
	case c.gate <- struct{}{}:
		defer func() { <-c.gate }()
	case <-ctx.Done():
		return cell.Unreachable(ctx.Err())
	}
	if c.ready.Load() {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, connectTime)
	defer cancel()
	if err := c.config.Pool.Start(ctx); err != nil {
		return cell.Unreachable(err)
	}
	for _, name := range []string{"setup", "locks", "walls"} {
		if err := c.transact(ctx, step{name: name}); err != nil {
			return errors.Join(fmt.Errorf("set up the cell: %w", err), c.config.Pool.Stop(ctx))
		}
	}
	c.ready.Store(true)
	return nil
}

// connectTime bounds connecting and setting up.
const connectTime = 15 * time.Second

// step is one statement of an act with its arguments.
type step struct {
	name string
	args map[string]string
}

// act connects if need be and runs the steps in one transaction.
func (c *Cell) act(ctx context.Context, steps ...step) error {
	if err := c.connect(ctx); err != nil {
		return err
	}
	return c.transact(ctx, steps...)
}

// actTries bounds how often an act that met another's change of the same catalogue row is run.
const actTries = 20

func (c *Cell) transact(ctx context.Context, steps ...step) error {
	for try := 1; ; try++ {
		err := c.config.Pool.InTx(ctx, func(ctx context.Context, tx *pg.Tx) error { return run(ctx, tx, steps...) })
		if !concurrent(err) || try == actTries {
			return reachable(err)
		}
		if err := pause(ctx, time.Duration(try)*2*time.Millisecond); err != nil {
			return err
		}
	}
}

func run(ctx context.Context, tx *pg.Tx, steps ...step) error {
	for _, s := range steps {
		names := slices.Sorted(maps.Keys(s.args))
		values := make([]string, len(names))
		for i, name := range names {
			values[i] = s.args[name]
		}
		if len(names) > 0 {
			if _, err := tx.Exec(ctx, query("setting"), names, values); err != nil {
				return fmt.Errorf("prepare %s: %w", s.name, err)
			}
		}
		if _, err := tx.Exec(ctx, query(s.name)); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
	}
	return nil
}

// concurrent says that another transaction changed the same catalogue row (GRANT and ALTER ROLE take no row lock first),
// or made the same object at the same moment.
func concurrent(err error) bool {
	var e *pgconn.PgError
	if !errors.As(err, &e) {
		return false
	}
	return e.Code == "XX000" && strings.HasPrefix(e.Message, "tuple concurrently") ||
		e.Code == "23505" && strings.HasPrefix(e.TableName, "pg_") || e.Code == "42710" || e.Code == "42P06"
}

// reachable turns a broken or refused connection into the fault that callers may try again on.
func reachable(err error) error {
	var network net.Error
	var connect *pgconn.ConnectError
	state := pg.SQLState(err)
	switch {
	case err == nil:
		return nil
	case errors.As(err, &connect), state == "" && (errors.As(err, &network) || pgconn.SafeToRetry(err)),
		strings.HasPrefix(state, "57P"), strings.HasPrefix(state, "08"), state == "53300":
		return cell.Unreachable(err)
	}
	return err
}

// pause waits, or returns ctx's error.
func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
