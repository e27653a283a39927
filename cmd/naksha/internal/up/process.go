package up

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/naksha-cloud/naksha/pkg/clock"
	"github.com/naksha-cloud/naksha/pkg/local"
	"github.com/naksha-cloud/naksha/pkg/obs"
	"github.com/naksha-cloud/naksha/pkg/service"
)

// Pauses before a service that died is started again: doubled from the first, and forgotten once it has run for a while.
const (
	firstPause   = 100 * time.Millisecond
	longestPause = 5 * time.Second
	settledAfter = 10 * time.Second
)

// stopPatience is what a service may take to stop before it is killed: more than its own bound (run.StopWait).
const stopPatience = 35 * time.Second

// process is a service that runs as a process of its own and is started again when it dies.
type process struct {
	name    string
	address string // of its gRPC server
	remote  obs.Remote
	log     *slog.Logger
	spawn   func(ctx context.Context) (*local.Program, error)
	changed func() // told after another process has taken the place of one that died

	mu      sync.Mutex
	current *local.Program
	cancel  context.CancelFunc
	keeper  sync.WaitGroup
}

// newProcess makes a stopped process that is told config, secrets included, through a pipe.
func newProcess[C any](p *Platform, name string, common service.Config, config C) *process {
	admin := p.address(p.adminPorts[name])
	telemetry := p.telemetry[name]
	return &process{
		name: name, address: common.Listen, remote: obs.Remote("http://" + admin), log: p.log("up"),
		changed: func() {
			p.supervisor.troubles.restarted("service " + name)
			p.retell()
		},
		spawn: func(ctx context.Context) (*local.Program, error) {
			order, err := service.Order(config, admin, telemetry.Level.Level())
			if err != nil {
				return nil, err
			}
			return local.StartProgram(ctx, local.ProgramConfig{
				Name: "service " + name, Note: p.state.path(dirRun, name+".json"), Path: p.binary(name),
				Args: []string{"--leash", "--config", local.OrderFile}, Environ: ownEnvironment(os.Environ()), Order: order,
				Output: p.config.Log, Log: p.log("up"),
			})
		},
	}
}

// ownEnvironment is what a service inherits: everything but Naksha's own variables, which may hold secrets and are
// already part of its order.
func ownEnvironment(all []string) []string {
	return slices.DeleteFunc(slices.Clone(all), func(entry string) bool { return strings.HasPrefix(entry, "NAKSHA_") })
}

// binary is the program of a service.
func (p *Platform) binary(name string) string {
	return filepath.Join(p.config.Binaries, "naksha-"+name)
}

// findBinaries fills in where the services' programs are, and refuses to begin without them.
func (p *Platform) findBinaries(context.Context) error {
	if !p.config.Processes {
		return nil
	}
	if p.config.Binaries == "" {
		self, err := os.Executable()
		if err != nil {
			return fmt.Errorf("find this program: %w: name the folder of naksha-<service> with --binaries", err)
		}
		p.config.Binaries = filepath.Dir(self)
	}
	for _, name := range Services {
		info, err := os.Stat(p.binary(name))
		if errors.Is(err, fs.ErrNotExist) || err == nil && info.Mode()&0o111 == 0 {
			return fmt.Errorf("%s is no program: build it with `make build`, or name the folder of naksha-<service> with --binaries", p.binary(name))
		}
		if err != nil {
			return fmt.Errorf("find naksha-%s: %w", name, err)
		}
	}
	return nil
}

// Start starts the process and returns when it listens. One that ends before is an error with its last words.
func (s *process) Start(ctx context.Context) error {
	program, err := s.spawn(ctx)
	if err != nil {
		return err
	}
	if err := s.await(ctx, program); err != nil {
		return errors.Join(err, program.Kill())
	}
	keep, cancel := context.WithCancel(context.Background())
	s.mu.Lock()
	s.current, s.cancel = program, cancel
	s.mu.Unlock()
	s.keeper.Go(func() { s.keep(keep) })
	return nil
}

// await polls until the service accepts connections, which it does last.
func (s *process) await(ctx context.Context, program *local.Program) error {
	for {
		select {
		case <-program.Done():
			return fmt.Errorf("the process ended at once: %s", program.LastLine())
		default:
		}
		conn, err := (&net.Dialer{Timeout: time.Second}).DialContext(ctx, "tcp", s.address)
		if err == nil {
			return conn.Close()
		}
		if err := clock.Sleep(ctx, clock.System(), 10*time.Millisecond); err != nil {
			return fmt.Errorf("the process does not listen: %w: its last line: %s", err, program.LastLine())
		}
	}
}

// keep starts the process again whenever it has ended, until ctx ends.
func (s *process) keep(ctx context.Context) {
	for pause := firstPause; ; {
		began := time.Now()
		program := s.running()
		if !s.outlive(ctx, program) {
			return
		}
		if time.Since(began) > settledAfter {
			pause = firstPause
		}
		s.log.ErrorContext(ctx, "service ended by itself and is started again", "name", s.name, "pid", program.PID(),
			"pause", pause, "last_line", program.LastLine())
		if !s.replace(ctx, pause) {
			return
		}
		pause = min(2*pause, longestPause)
	}
}

// Signs of life that a process may owe before it is killed: one that hangs would be missed as one that died, for longer.
const (
	signEvery = 3 * time.Second
	signsOwed = 10
)

// outlive waits for the end of a program, which it brings about when the program hangs; false when ctx ended first.
func (s *process) outlive(ctx context.Context, program *local.Program) bool {
	tick := time.NewTicker(signEvery)
	defer tick.Stop()
	for owed := 0; ; {
		select {
		case <-ctx.Done():
			return false
		case <-program.Done():
			return true
		case <-tick.C:
		}
		if owed++; s.remote.Live(ctx) == nil {
			owed = 0
		}
		if owed == signsOwed {
			s.log.ErrorContext(ctx, "service gives no sign of life and is killed", "name", s.name, "pid", program.PID(), "error", program.Kill())
		}
	}
}

// replace starts another process after the pause, and tries until that works; false when ctx ended first.
func (s *process) replace(ctx context.Context, pause time.Duration) bool {
	for {
		if clock.Sleep(ctx, clock.System(), pause) != nil {
			return false
		}
		program, err := s.spawn(ctx)
		if err == nil {
			s.mu.Lock()
			s.current = program
			s.mu.Unlock()
			s.changed()
			return true
		}
		s.log.ErrorContext(ctx, "service did not start and is tried again", "name", s.name, "error", err)
		pause = min(2*pause, longestPause)
	}
}

// Stop stops the process in order. A second Stop does nothing.
func (s *process) Stop(ctx context.Context) error {
	s.mu.Lock()
	cancel := s.cancel
	s.mu.Unlock()
	if cancel == nil {
		return nil
	}
	cancel()
	s.keeper.Wait()
	ctx, done := context.WithTimeout(ctx, stopPatience)
	defer done()
	return s.running().Stop(ctx)
}

// Ready says why the service is not ready, in its own words, or nil.
func (s *process) Ready(ctx context.Context) error { return s.remote.Ready(ctx) }

// PID is the process id of today's process.
func (s *process) PID() int { return s.running().PID() }

func (s *process) running() *local.Program {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.current
}
