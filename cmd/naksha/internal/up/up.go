// Package up runs the whole platform in one process with the walls of production: private Postgres servers, an embedded
// NATS server, two S3 regions and the five services, each service with its own database role, NATS user, certificate and
// listener. State is one directory. It owns the order of start and stop, and refuses what it cannot start with one
// sentence that names the remedy.
package up

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/naksha-cloud/naksha/pkg/clock"
	"github.com/naksha-cloud/naksha/pkg/local"
	"github.com/naksha-cloud/naksha/pkg/obs"
	"github.com/naksha-cloud/naksha/pkg/run"
)

// Config says where the platform lives and listens. A port of 0 picks a free one.
type Config struct {
	Dir      string // state directory; see DefaultDir
	Listen   string // IP address for customers: gateway, cell, S3; empty = 127.0.0.1, where everything else always is
	Version  string // of this program
	Ports    Ports
	Alerting string        // file with the alerting service's configuration (targets, policies); empty = its defaults
	LogLevel slog.Level    // of every part
	Log      io.Writer     // where log lines go; nil = discarded
	Progress func(Step)    // told of each step that began or ended; nil = nobody
	Slots    int           // complete workspaces kept ready in the cell; 0 = the tenant service's default
	StreamMB int           // MiB that each service's facts may take in NATS; 0 = 512
	Patience time.Duration // bound of the whole start; 0 = 5 minutes
	Silence  time.Duration // how long a private server may give no answer before somebody is told; 0 = 30 s
	// AdminKeysSince revokes the operators' keys of before, and a new one is written; zero = none.
	AdminKeysSince time.Time

	TLS        Certificate // needed for a Listen beyond the loopback
	PublicHost string      // name that customers connect to; empty = the certificate's first

	Processes bool   // each service as a process of its own, started again when it dies
	Binaries  string // folder of the services' programs; empty = beside this program
	External  External
}

// Ports are where the platform listens (DESIGN §10).
type Ports struct {
	Gateway, NATS, Platform, Cell, Primary, PrimaryIAM, DR, DRIAM, Alerting, Admin int
}

// DefaultPorts are the fixed ports of DESIGN §10; what is not named there stands beside its neighbour.
func DefaultPorts() Ports {
	return Ports{
		Gateway: 7800, NATS: 7801, Platform: 7810, Cell: 7811, Primary: 7820, DR: 7821, PrimaryIAM: 7822, DRIAM: 7823,
		Alerting: 7830, Admin: 7890,
	}
}

// Step is one step of a start or stop.
type Step struct {
	Name string
	Took time.Duration // 0 when it begins
	Err  error
}

// DefaultDir is /var/lib/naksha for root, since Postgres cannot enter /root, else below the user's state home.
func DefaultDir() (string, error) {
	if os.Geteuid() == 0 {
		return "/var/lib/naksha", nil
	}
	if base := os.Getenv("XDG_STATE_HOME"); base != "" {
		return filepath.Join(base, "naksha"), nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", errors.New("neither XDG_STATE_HOME nor HOME is set: give the state directory with --dir")
	}
	return filepath.Join(home, ".local", "state", "naksha"), nil
}

// Platform is the running whole.
type Platform struct {
	config    Config
	state     *state
	telemetry map[string]*obs.Telemetry

	mu                       sync.Mutex
	group                    *run.Group
	nats                     *local.NATS
	natsPasswords            map[string]string // of an external server's users
	servicePorts, adminPorts map[string]int    // of each service
	reserved                 []*reservation
	public                   public
	open                     []*front
	admin                    *obs.Admin

	supervisor supervisor
	// The supervisor replaces servers that died while others ask where they are.
	platform, cell atomic.Pointer[local.Postgres]
	primary, dr    atomic.Pointer[local.Region]

	live     sync.Mutex // probes come while services are replaced
	services map[string]component

	telling sync.Mutex // one writer of the endpoints at a time
	told    bool
}

// component is what every service's root package offers.
type component interface {
	Start(ctx context.Context) error
	Stop(ctx context.Context) error
	Ready(ctx context.Context) error
}

// New returns a stopped Platform.
func New(c Config) (*Platform, error) {
	if err := c.checkPublic(); err != nil {
		return nil, err
	}
	if c.Log == nil {
		c.Log = io.Discard
	}
	if c.Progress == nil {
		c.Progress = func(Step) {}
	}
	if c.Patience == 0 {
		c.Patience = 5 * time.Minute
	}
	if c.Silence == 0 {
		c.Silence = 30 * time.Second
	}
	if err := c.External.Validate(); err != nil {
		return nil, err
	}
	if c.Dir == "" {
		return nil, errors.New("no state directory: give one with --dir")
	}
	dir, err := filepath.Abs(c.Dir)
	if err != nil {
		return nil, fmt.Errorf("state directory: %w", err)
	}
	c.Dir = dir
	telemetry, err := openTelemetry(c)
	if err != nil {
		return nil, err
	}
	p := &Platform{config: c, telemetry: telemetry, services: map[string]component{}}
	return p, p.supervisor.troubles.measure(telemetry["up"])
}

// Start brings the platform up and returns when it is ready to serve. What had started is stopped when a later part
// fails.
func (p *Platform) Start(ctx context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.group != nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, p.config.Patience)
	defer cancel()
	group := run.NewGroup(
		p.step("state", run.Func(p.openState, p.closeState)),
		run.Named("disk", run.Func(p.checkSpace, nil)),
		run.Named("binaries", run.Func(p.findBinaries, nil)),
		run.Named("pieces that run elsewhere", run.Func(p.preflight, nil)),
		run.Named("orphans", run.Func(p.endOrphans, nil)),
		p.step("ports", run.Func(p.reservePorts, p.releasePorts)),
		p.step("servers", run.Func(p.startServers, p.stopServers)),
		run.Named("supervisor", run.Func(p.startSupervisor, p.stopSupervisor)),
		p.step("bootstrap", run.Func(p.bootstrap, nil)),
		run.Named("logins", run.Func(p.checkLogins, nil)),
		p.step("services", run.Func(p.startServices, p.stopServices)),
		run.Named("fronts", run.Func(p.startFronts, p.stopFronts)),
		p.step("admin", run.Func(p.startAdmin, p.stopAdmin)),
		p.step("ready", run.Func(p.awaitReady, nil)),
		run.Named("endpoints", run.Func(p.tell, p.untell)),
	)
	if err := group.Start(ctx); err != nil {
		return err
	}
	p.group = group
	return nil
}

// Stop stops everything in reverse order. A second Stop does nothing.
func (p *Platform) Stop(ctx context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.group == nil {
		return nil
	}
	group := p.group
	p.group = nil
	return group.Stop(ctx)
}

// step reports begin, end and duration of a component's start.
func (p *Platform) step(name string, c run.Component) run.Component {
	return run.Named(name, run.Func(func(ctx context.Context) error {
		p.config.Progress(Step{Name: name})
		begin := time.Now()
		err := c.Start(ctx)
		p.config.Progress(Step{Name: name, Took: time.Since(begin), Err: err})
		return err
	}, c.Stop))
}

func (p *Platform) openState(context.Context) (err error) {
	if err := p.readPasswords(); err != nil {
		return err
	}
	p.state, err = openState(p.config.Dir)
	return err
}

func (p *Platform) closeState(context.Context) error { return p.state.close() }

// awaitReady polls until every service says that it is ready: consumers wait for streams that others make.
func (p *Platform) awaitReady(ctx context.Context) error {
	for {
		err := p.Ready(ctx)
		if err == nil {
			return nil
		}
		if clock.Sleep(ctx, clock.System(), 20*time.Millisecond) != nil {
			return fmt.Errorf("not ready in time: %w", err)
		}
	}
}

// Ready says which servers and services cannot do their work right now, or nil.
func (p *Platform) Ready(ctx context.Context) error {
	errs := []error{p.serversReady(ctx)}
	for _, name := range Services {
		if err := p.serviceReady(ctx, name); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", name, err))
		}
	}
	return errors.Join(errs...)
}

// serviceReady says why the service of that name, as it is now, cannot do its work, or nil.
func (p *Platform) serviceReady(ctx context.Context, name string) error {
	p.live.Lock()
	s, ok := p.services[name]
	p.live.Unlock()
	if !ok {
		return errors.New("not started")
	}
	return s.Ready(ctx)
}

// Services are the five, in no order: a start shuffles them, so that any order is run daily.
var Services = []string{"tenant", "gateway", "backup", "rotation", "alerting"}

func shuffled() []string {
	names := append([]string(nil), Services...)
	rand.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
	return names
}

// host is where the private servers and everything that is not for customers listen.
func (p *Platform) host() string {
	if p.shown() {
		return loopback
	}
	return p.config.Listen
}

// address is host:port of something private.
func (p *Platform) address(port int) string {
	return net.JoinHostPort(p.host(), strconv.Itoa(port))
}

// parts are what logs beside the services, this program first.
var parts = []string{"up", "nats", "postgres-platform", "postgres-cell1", "s3-primary", "s3-dr"}

// openTelemetry makes each part's logs, traces and metrics.
func openTelemetry(c Config) (map[string]*obs.Telemetry, error) {
	made := map[string]*obs.Telemetry{}
	for _, name := range slices.Concat(parts, Services) {
		t, err := obs.New(obs.Config{
			Service: name, Version: c.Version, Level: c.LogLevel, Format: "json", Runtime: name == "up",
		}, c.Log)
		if err != nil {
			return nil, err
		}
		made[name] = t
	}
	return made, nil
}

func (p *Platform) log(part string) *slog.Logger { return p.telemetry[part].Log }
