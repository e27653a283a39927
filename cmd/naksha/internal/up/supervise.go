package up

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/naksha-cloud/naksha/pkg/clock"
)

// supervisor brings back what fails by itself: a killed S3 region or Postgres comes back on the same port with the same
// data, a broker that froze is restarted once its disk works again. A server that gives no answer is told of. What is
// wrong meanwhile shows in readiness, in the metrics, and as an incident. Its zero value is stopped.
type supervisor struct {
	cancel   context.CancelFunc
	wait     sync.WaitGroup
	troubles troubles
}

// restartPause is the time between two tries to bring a server back.
const restartPause = time.Second

func (p *Platform) startSupervisor(context.Context) error {
	p.supervisor.troubles.clear()
	ctx, cancel := context.WithCancel(context.Background())
	p.supervisor.cancel = cancel
	for _, s := range p.privateServers() {
		if s.now != nil {
			p.supervisor.wait.Go(func() { p.keep(ctx, s) })
		}
	}
	if p.nats != nil {
		p.supervisor.wait.Go(func() { p.keepBroker(ctx, p.nats) })
	}
	p.supervisor.wait.Go(func() { p.watchDisks(ctx) })
	p.supervisor.wait.Go(func() { p.watchServices(ctx) })
	p.supervisor.wait.Go(func() { p.report(ctx) })
	return nil
}

// keep waits for a server's end and starts it again, until ctx ends.
func (p *Platform) keep(ctx context.Context, s private) {
	for p.outlive(ctx, s) {
		p.worry(ctx, s.name, errors.New("it ended by itself"))
		_ = s.now().Stop(ctx) // gives up the folder of the one that is gone
		for err := s.comeBack(ctx); err != nil; err = s.comeBack(ctx) {
			p.worry(ctx, s.name, fmt.Errorf("it did not come back: %w", err))
			if clock.Sleep(ctx, clock.System(), restartPause) != nil {
				return
			}
		}
		p.supervisor.troubles.restarted(s.name)
		p.worry(ctx, s.name, nil)
	}
}

// worry notes what is wrong with a server, nil = nothing, and logs when that changes.
func (p *Platform) worry(ctx context.Context, server string, why error) {
	switch p.supervisor.troubles.note(server, why, time.Now()) {
	case troubleBegan:
		p.log("up").ErrorContext(ctx, "server fails", "server", server, "error", why)
	case troubleChanged:
		p.log("up").ErrorContext(ctx, "server still fails", "server", server, "error", why)
	case troubleEnded:
		p.log("up").InfoContext(ctx, "server is back", "server", server)
	case troubleSame:
	}
}

// serversReady says which servers do not work right now, or nil.
func (p *Platform) serversReady(context.Context) error { return p.supervisor.troubles.err() }

func (p *Platform) stopSupervisor(context.Context) error {
	p.supervisor.cancel()
	p.supervisor.wait.Wait()
	return nil
}

// String names the platform by its directory.
func (p *Platform) String() string { return fmt.Sprintf("platform in %s", p.config.Dir) }
