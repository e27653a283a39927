// Package jobs runs work later, again, or on a schedule: River, pinned and wrapped, in the service's own schema. A job is
// done at least once: one whose process was killed is run again, so handlers must be idempotent. It is not a bus: facts
// between services travel through outbox. Requests insert no jobs inside their transactions (River notifies, and NOTIFY
// costs every commit); reactions to facts do.
package jobs

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"go.opentelemetry.io/otel/trace"

	"github.com/naksha-cloud/naksha/pkg/caller"
	"github.com/naksha-cloud/naksha/pkg/obs"
)

// Defaults of Config and Options.
const (
	DefaultWorkers     = 8
	DefaultTimeout     = time.Minute
	DefaultMaxAttempts = 1000 // with the longest back-off about 16 hours
	maxBackoff         = time.Minute
	softStop           = 3 * time.Second // running jobs get that long to end by themselves
	keepDone           = time.Hour       // finished jobs stay that long, for the curious
)

// Config says where jobs are kept and how many run at once.
type Config struct {
	Service   string         // opens the name of this instance
	Pool      Pool           // of the service's login, e.g. a *pg.Pool; started before the Client
	Schema    string         // schema of the tables, which the login owns; empty = the first of its search_path
	Workers   int            // jobs at once per queue; default 8
	Log       *slog.Logger   // default: Telemetry's, else silent
	Telemetry *obs.Telemetry // spans of jobs; nil = none
	PollOnly  bool           // no LISTEN: jobs are found by asking every second, for connection poolers
}

// Pool gives the connections once it is started.
type Pool interface {
	// Raw is the pool of now; nil while stopped.
	Raw() *pgxpool.Pool
}

// Client keeps jobs and runs them. Register handlers, then Start.
type Client struct {
	cfg    Config
	id     string
	tracer trace.Tracer

	turn     sync.Mutex  // held through Start and Stop; running jobs never take it
	stopping atomic.Bool // jobs that end now for lack of a context are not to blame

	mu       sync.Mutex
	handlers map[string]handler // by kind
	ticks    map[string]tick    // by name
	river    *river.Client[pgx.Tx]
	life     *lifeline
}

// handler is a kind's worker and its options.
type handler struct {
	add     func(*river.Workers) error
	options Options
}

// New returns a Client; it reads nothing yet.
func New(cfg Config) (*Client, error) {
	if cfg.Pool == nil {
		return nil, errors.New("make job client: no pool")
	}
	if cfg.Workers == 0 {
		cfg.Workers = DefaultWorkers
	}
	if cfg.Telemetry == nil {
		cfg.Telemetry = obs.Discard()
	}
	if cfg.Log == nil {
		cfg.Log = cfg.Telemetry.Log
	}
	c := &Client{
		cfg:      cfg,
		id:       cfg.Service + "-" + caller.NewRequestID(),
		tracer:   cfg.Telemetry.Tracer.Tracer("github.com/naksha-cloud/naksha/pkg/jobs"),
		handlers: map[string]handler{},
		ticks:    map[string]tick{},
	}
	c.handlers[tickKind] = handler{add: c.addTicks, options: Options{}.withDefaults()}
	return c, nil
}

// Start migrates the schema under a lock, takes back the jobs of instances that died, and begins to work.
func (c *Client) Start(ctx context.Context) error {
	c.turn.Lock()
	defer c.turn.Unlock()
	if _, err := c.client(); err == nil {
		return nil
	}
	if c.cfg.Pool.Raw() == nil {
		return errors.New("start jobs: the pool is not started")
	}
	life, err := openLifeline(ctx, c.cfg, c.id)
	if err != nil {
		return fmt.Errorf("start jobs: %w", err)
	}
	client, err := c.open(ctx, life)
	if err != nil {
		return errors.Join(fmt.Errorf("start jobs: %w", err), life.stop(ctx))
	}
	life.watch()
	c.set(client, life)
	return nil
}

// open prepares the tables and starts River.
func (c *Client) open(ctx context.Context, life *lifeline) (*river.Client[pgx.Tx], error) {
	if err := life.migrate(ctx, c.cfg); err != nil {
		return nil, err
	}
	if err := life.rescue(ctx, true); err != nil {
		return nil, err
	}
	config, err := c.riverConfig()
	if err != nil {
		return nil, err
	}
	client, err := river.NewClient(riverpgxv5.New(c.cfg.Pool.Raw()), config)
	if err != nil {
		return nil, err
	}
	c.stopping.Store(false)
	// The context of Start may end once the service has started; the jobs go on until Stop.
	return client, client.Start(context.WithoutCancel(ctx))
}

// Stop takes no more jobs and waits for those that run; after 3 s, or when ctx ends, their contexts end too, and they
// run again at the next start.
func (c *Client) Stop(ctx context.Context) error {
	c.turn.Lock()
	defer c.turn.Unlock()
	client, err := c.client()
	if err != nil {
		return nil // not started, or stopped already
	}
	c.stopping.Store(true)
	if err = client.Stop(ctx); err != nil {
		hard, cancel := context.WithTimeout(context.WithoutCancel(ctx), softStop)
		defer cancel()
		err = client.StopAndCancel(hard)
	}
	life := c.life
	c.set(nil, nil)
	return errors.Join(err, life.stop(context.WithoutCancel(ctx)))
}

// Ready reports whether the client runs and its connection to Postgres lives.
func (c *Client) Ready(context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.life == nil {
		return errors.New("jobs are not started")
	}
	return c.life.err()
}

func (c *Client) set(client *river.Client[pgx.Tx], life *lifeline) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.river, c.life = client, life
}

// client returns River's client of a started Client.
func (c *Client) client() (*river.Client[pgx.Tx], error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.river == nil {
		return nil, errors.New("jobs are not started")
	}
	return c.river, nil
}
