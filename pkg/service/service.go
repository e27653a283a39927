// Package service assembles what every service stands on, in the one order that works: database, migrations, bus, relay,
// inboxes, the service's own workers, and last the server. A service adds its own parts and is otherwise this Core. It
// owns no rule of any service.
package service

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"

	"github.com/naksha-cloud/naksha/pkg/bus"
	"github.com/naksha-cloud/naksha/pkg/clock"
	"github.com/naksha-cloud/naksha/pkg/conf"
	"github.com/naksha-cloud/naksha/pkg/obs"
	"github.com/naksha-cloud/naksha/pkg/outbox"
	"github.com/naksha-cloud/naksha/pkg/pg"
	"github.com/naksha-cloud/naksha/pkg/rpc"
	"github.com/naksha-cloud/naksha/pkg/run"
)

// Config is what every service is told. It is embedded in each service's own Config.
type Config struct {
	Listen       string            `conf:"listen" doc:"host:port of the service's gRPC server"`
	DatabaseURL  conf.Secret       `conf:"database_url" doc:"platform database as this service's role; its search_path is the service's schema"`
	DatabaseMax  int32             `conf:"database_max" doc:"upper bound of database connections"`
	NATSURL      string            `conf:"nats_url" doc:"nats://host:port, or tls://host:port"`
	NATSPassword conf.Secret       `conf:"nats_password" doc:"password of the NATS user named like the service"`
	NATSCAFile   string            `conf:"nats_ca_file" doc:"certificates that a tls:// server must be signed by; empty = the system's"`
	NATSReplicas int               `conf:"nats_replicas" doc:"copies of the service's stream: 1 on one server, 3 in a cluster"`
	NATSStreamMB int64             `conf:"nats_stream_mb" doc:"MiB that the service's facts may take in NATS; a larger stream is left as it is"`
	TLS          rpc.Files         `conf:"tls" doc:"this service's certificate and key, and the CA that signed all services'"`
	Peers        map[string]string `conf:"peers" doc:"host:port of each service's gRPC server by name"`
}

// DefaultConfig is what holds where nothing else is said.
func DefaultConfig() Config {
	return Config{Listen: "127.0.0.1:0", DatabaseMax: 8, NATSURL: "nats://127.0.0.1:7801", NATSReplicas: 1, NATSStreamMB: 512}
}

// Validate names the first field that cannot work, and what it takes.
func (c Config) Validate() error {
	switch {
	case c.Listen == "":
		return errors.New("listen is empty: give host:port")
	case c.DatabaseURL == "":
		return errors.New("database_url is empty: give a postgres:// URL")
	case c.NATSURL == "":
		return errors.New("nats_url is empty: give a nats:// URL")
	case c.DatabaseMax < 4:
		return fmt.Errorf("database_max is %d: give 4 or more", c.DatabaseMax)
	case c.NATSStreamMB < 1:
		return fmt.Errorf("nats_stream_mb is %d: give 1 or more", c.NATSStreamMB)
	case c.TLS.CertFile == "" || c.TLS.KeyFile == "" || c.TLS.CAFile == "":
		return errors.New("tls is incomplete: give cert_file, key_file and ca_file")
	}
	return nil
}

// Deps are handed in by main, or by a process that runs several services.
type Deps struct {
	Telemetry *obs.Telemetry // logs, traces and metrics of this service; nil = discarded
	Clock     clock.Clock    // nil = the machine's
}

// Parts are what a service adds to its Core.
type Parts struct {
	Migrations fs.FS                         // `0001_name.sql` …
	Register   func(s grpc.ServiceRegistrar) // registers the service's RPCs; EventService is there already
	Reactions  map[string][]outbox.Reaction  // by the service that owns the facts
	Snapshots  outbox.Snapshots              // of its own resources, for consumers whose facts are gone from the log
	Workers    []run.Component               // started before the server, stopped after it
}

// Core is the running part that all services share.
type Core struct {
	Name   string
	Log    *slog.Logger
	Clock  clock.Clock
	Pool   *pg.Pool
	Bus    *bus.Bus
	Outbox *outbox.Outbox

	config    Config
	telemetry *obs.Telemetry
	parts     Parts
	relay     *outbox.Relay
	peers     *peers
	metrics   *metrics
	troubles  *troubles

	running atomic.Pointer[[]*outbox.Inbox] // nil while stopped; no lock, since probes come during Start and Stop

	mu     sync.Mutex
	server *rpc.Server
	group  *run.Group
}

// New makes a stopped Core. It does no I/O.
func New(name string, c Config, d Deps) (*Core, error) {
	if err := c.Validate(); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if d.Telemetry == nil {
		d.Telemetry = obs.Discard()
	}
	if d.Clock == nil {
		d.Clock = clock.System()
	}
	core := &Core{
		Name: name, Log: d.Telemetry.Log, Clock: d.Clock, config: c, telemetry: d.Telemetry,
		Pool: pg.New(pg.Config{
			URL: c.DatabaseURL.Reveal(), MaxConns: c.DatabaseMax, Clock: d.Clock, Tracer: obs.PgxTracer(d.Telemetry),
		}),
		Bus: bus.New(bus.Config{
			URL: c.NATSURL, User: name, Password: c.NATSPassword.Reveal(), CAFile: c.NATSCAFile, Replicas: c.NATSReplicas,
			MaxBytes: c.NATSStreamMB << 20,
			Log:      d.Telemetry.Log,
		}),
		Outbox: outbox.New(name),
	}
	core.relay = outbox.NewRelay(outbox.RelayConfig{
		Outbox: core.Outbox, Pool: core.Pool, Bus: core.Bus, Log: core.Log, Tracer: d.Telemetry.Tracer.Tracer("naksha/outbox"),
		Reset: func(lost outbox.StreamReset) {
			core.troubles.seen(trouble{factsLost, name}, fmt.Sprintf("stream %s went back from %d to %d: %d facts are published again",
				lost.Stream, lost.Was, lost.Is, lost.Facts))
		},
	})
	core.peers = newPeers(name, c, d.Telemetry)
	core.troubles = newTroubles(core)
	var err error
	core.metrics, err = newMetrics(d.Telemetry, core.relay, core.Pool)
	return core, err
}

// Assemble adds the service's own parts; call it once, before Start.
func (c *Core) Assemble(p Parts) { c.parts = p }

// Telemetry is the service's logs, traces and metrics.
func (c *Core) Telemetry() *obs.Telemetry { return c.telemetry }

// Addr is where the server listens, host:port; empty while stopped.
func (c *Core) Addr() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.server == nil {
		return ""
	}
	return c.server.Addr()
}

// Start starts every part in order. When one fails, those already started are stopped, and Start may be called again.
func (c *Core) Start(ctx context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.group != nil {
		return nil
	}
	group := run.NewGroup(
		run.Named("database", c.Pool),
		run.Named("migrations", run.Func(c.migrate, nil)),
		run.Named("bus", c.Bus),
		run.Named("relay", c.relay),
		run.Named("peers", c.peers),
	)
	inboxes, components := c.makeInboxes()
	group.Add(components...)
	group.Add(run.Named("troubles", c.troubles))
	group.Add(c.parts.Workers...)
	group.Add(run.Named("server", run.Func(c.serve, c.stopServing)))
	if err := group.Start(ctx); err != nil {
		return fmt.Errorf("start %s: %w", c.Name, err)
	}
	c.group = group
	c.running.Store(&inboxes)
	c.Log.InfoContext(ctx, "service started", "address", c.server.Addr())
	return nil
}

// Stop stops every part in reverse order. A second Stop does nothing.
func (c *Core) Stop(ctx context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.group == nil {
		return nil
	}
	c.running.Store(nil)
	group := c.group
	c.group = nil
	return group.Stop(ctx)
}

// Ready says why the service cannot do its work right now, or nil.
func (c *Core) Ready(ctx context.Context) error {
	inboxes := c.running.Load()
	if inboxes == nil {
		return errors.New("not started")
	}
	errs := []error{c.Pool.Ready(ctx), c.Bus.Ready(ctx), c.relay.Ready(ctx)}
	for _, in := range *inboxes {
		errs = append(errs, in.Ready(ctx))
	}
	return errors.Join(errs...)
}

func (c *Core) migrate(ctx context.Context) error {
	if err := outbox.Migrate(ctx, c.Pool); err != nil {
		return err
	}
	if c.parts.Migrations == nil {
		return nil
	}
	return pg.Migrate(ctx, c.Pool, c.parts.Migrations, "schema_version")
}

func (c *Core) makeInboxes() (inboxes []*outbox.Inbox, components []run.Component) {
	for from, reactions := range c.parts.Reactions {
		in := outbox.NewInbox(outbox.InboxConfig{
			Service: c.Name, Owner: from, Pool: c.Pool, Bus: c.Bus, Log: c.Log, Reactions: reactions,
			Source: owner{core: c, name: from}, Tracer: c.telemetry.Tracer.Tracer("naksha/outbox"),
			Report: func(f outbox.Finding) {
				c.metrics.found(from, f)
				c.troubles.found(from, f)
			},
			Restarted: func(why bus.Reason) {
				c.metrics.attached(from, why)
				c.troubles.seen(trouble{consumerRestarted, from}, fmt.Sprintf("the consumer of %s attached anew: %s", from, why))
			},
		})
		inboxes = append(inboxes, in)
		components = append(components, run.Named("facts of "+from, in))
	}
	return inboxes, components
}

// inbox finds the running inbox of a consumer.
func (c *Core) inbox(consumer string) (*outbox.Inbox, bool) {
	inboxes := c.running.Load()
	if inboxes == nil {
		return nil, false
	}
	for _, in := range *inboxes {
		if in.Consumer == consumer {
			return in, true
		}
	}
	return nil, false
}

// stopTimeout bounds how long running calls may take when the server stops, and the last spans when the process does.
const stopTimeout = 5 * time.Second
