package jobs

import (
	"context"
	_ "embed" // the queries
	"errors"
	"fmt"
	"hash/fnv"
	"log/slog"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"
)

//go:embed query/running.sql
var runningSQL string

//go:embed query/rescue.sql
var rescueSQL string

//go:embed query/depose.sql
var deposeSQL string

const (
	lookEvery = 5 * time.Second  // between two looks for dead instances
	lookLimit = 10 * time.Second // of one look
	lockClass = 0x6e6b6a62       // "nkjb": the class of our advisory locks in pg_locks
)

// lifeline proves that this instance lives, by an advisory lock that Postgres lets go when the process dies, and takes
// back the jobs of those whose lock is free. A free lock can also mean a broken connection of a living instance, which
// takes its lock again within seconds; so a neighbour must be found dead twice in a row. Only at a start once is enough:
// a service that restarts does not wait.
type lifeline struct {
	cfg  Config
	id   string
	conn *pgx.Conn // used by one goroutine at a time: Start's, then watch's, then Stop's
	dead map[string]bool

	cancel context.CancelFunc
	done   chan struct{} // closed when watch has ended; nil before watch

	mu     sync.Mutex
	failed error
}

func openLifeline(ctx context.Context, cfg Config, id string) (*lifeline, error) {
	l := &lifeline{cfg: cfg, id: id, dead: map[string]bool{}, cancel: func() {}}
	if err := l.connect(ctx); err != nil {
		return nil, err
	}
	return l, nil
}

// connect opens the connection and takes the lock.
func (l *lifeline) connect(ctx context.Context) error {
	pool := l.cfg.Pool.Raw()
	if pool == nil {
		return errors.New("connect for jobs: the pool is stopped")
	}
	config := pool.Config()
	conn := config.ConnConfig
	if config.BeforeConnect != nil { // the password may have been rotated
		if err := config.BeforeConnect(ctx, conn); err != nil {
			return fmt.Errorf("connect for jobs: %w", err)
		}
	}
	if l.cfg.Schema != "" {
		conn.RuntimeParams["search_path"] = pgx.Identifier{l.cfg.Schema}.Sanitize()
	}
	c, err := pgx.ConnectConfig(ctx, conn)
	if err != nil {
		return fmt.Errorf("connect for jobs: %w", err)
	}
	if _, err := c.Exec(ctx, `SELECT pg_advisory_lock($1, $2)`, lockClass, lockKey(l.id)); err != nil {
		return errors.Join(fmt.Errorf("lock for jobs: %w", err), c.Close(ctx))
	}
	l.conn = c
	return nil
}

// migrate brings River's tables up to date, one instance at a time. Migrations of a newer River are left as they are.
func (l *lifeline) migrate(ctx context.Context, cfg Config) error {
	key := lockKey("migrate " + cfg.Schema)
	if _, err := l.conn.Exec(ctx, `SELECT pg_advisory_lock($1, $2)`, lockClass, key); err != nil {
		return fmt.Errorf("lock migrations of jobs: %w", err)
	}
	migrator, err := rivermigrate.New(riverpgxv5.New(cfg.Pool.Raw()), &rivermigrate.Config{
		Schema: cfg.Schema, Logger: slog.New(quiet{cfg.Log.Handler()}),
	})
	if err == nil {
		_, err = migrator.Migrate(ctx, rivermigrate.DirectionUp, nil)
	}
	if err != nil {
		err = fmt.Errorf("migrate tables of jobs: %w", err)
	}
	_, unlockErr := l.conn.Exec(ctx, `SELECT pg_advisory_unlock($1, $2)`, lockClass, key)
	return errors.Join(err, unlockErr)
}

// watch looks for dead instances until stop.
func (l *lifeline) watch() {
	ctx, cancel := context.WithCancel(context.Background())
	l.cancel, l.done = cancel, make(chan struct{})
	go func() {
		defer close(l.done)
		for ticker := time.NewTicker(lookEvery); ; {
			select {
			case <-ctx.Done():
				ticker.Stop()
				return
			case <-ticker.C:
				l.look(ctx)
			}
		}
	}()
}

// look is one round: rescue; where the connection turns out to be broken, take the lock again first.
func (l *lifeline) look(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, lookLimit)
	defer cancel()
	var err error
	if !l.conn.IsClosed() {
		err = l.rescue(ctx, false)
	}
	if l.conn.IsClosed() {
		if err = l.connect(ctx); err == nil {
			err = l.rescue(ctx, false)
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if err != nil && l.failed == nil && ctx.Err() == nil {
		l.cfg.Log.WarnContext(ctx, "look for dead job instances failed", "error", err)
	}
	l.failed = err
}

// rescue gives back the jobs of dead instances: those found dead the second time in a row, or at once when first.
func (l *lifeline) rescue(ctx context.Context, first bool) error {
	rows, err := l.conn.Query(ctx, runningSQL, l.id)
	if err != nil {
		return fmt.Errorf("list instances: %w", err)
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return fmt.Errorf("list instances: %w", err)
	}
	dead := map[string]bool{}
	for _, id := range ids {
		gone, err := l.bury(ctx, id, first || l.dead[id])
		if err != nil {
			return fmt.Errorf("take back jobs of %s: %w", id, err)
		}
		dead[id] = gone
	}
	l.dead = dead
	return nil
}

// bury reports whether instance id is dead, and if so and sure, gives back its jobs. Holding its lock keeps others out.
func (l *lifeline) bury(ctx context.Context, id string, sure bool) (gone bool, err error) {
	if err := l.conn.QueryRow(ctx, `SELECT pg_try_advisory_lock($1, $2)`, lockClass, lockKey(id)).Scan(&gone); err != nil || !gone {
		return false, err
	}
	if sure {
		err = l.giveBack(ctx, id)
	}
	_, unlockErr := l.conn.Exec(ctx, `SELECT pg_advisory_unlock($1, $2)`, lockClass, lockKey(id))
	return true, errors.Join(err, unlockErr)
}

func (l *lifeline) giveBack(ctx context.Context, id string) error {
	tag, err := l.conn.Exec(ctx, rescueSQL, id, time.Now().UTC())
	if err != nil {
		return err
	}
	if n := tag.RowsAffected(); n > 0 {
		l.cfg.Log.InfoContext(ctx, "took back jobs of a dead instance", "instance", id, "jobs", n)
	}
	_, err = l.conn.Exec(ctx, deposeSQL, id)
	return err
}

// err is why the last look failed, or nil.
func (l *lifeline) err() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.failed
}

// stop ends watch and lets the lock go.
func (l *lifeline) stop(ctx context.Context) error {
	l.cancel()
	if l.done != nil {
		<-l.done
	}
	return l.conn.Close(ctx)
}

// lockKey maps an instance to the 32 bits of an advisory lock's second key.
func lockKey(id string) int32 {
	h := fnv.New32a()
	_, _ = h.Write([]byte(id)) // a hash never fails
	return int32(h.Sum32())    //nolint:gosec // all 32 bits are wanted
}
