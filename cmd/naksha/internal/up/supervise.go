package up

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/naksha-cloud/naksha/pkg/clock"
)

// supervisor starts servers again that died by themselves: a killed S3 region or Postgres comes back on the same port
// with the same data. Its zero value is stopped.
type supervisor struct {
	cancel context.CancelFunc
	wait   sync.WaitGroup
}

// restartPause is the time between two tries to bring a server back.
const restartPause = time.Second

func (p *Platform) startSupervisor(context.Context) error {
	ctx, cancel := context.WithCancel(context.Background())
	p.supervisor.cancel = cancel
	for _, s := range []struct {
		name  string
		done  func() <-chan struct{}
		start func(ctx context.Context) error
	}{
		{"platform Postgres", func() <-chan struct{} { return p.platform.Load().Done() }, p.startPlatform},
		{"cell Postgres", func() <-chan struct{} { return p.cell.Load().Done() }, p.startCell},
		{"S3 region primary", func() <-chan struct{} { return p.primary.Load().Done() }, p.startPrimary},
		{"S3 region dr", func() <-chan struct{} { return p.dr.Load().Done() }, p.startDR},
	} {
		p.supervisor.wait.Go(func() { p.keep(ctx, s.name, s.done, s.start) })
	}
	return nil
}

// keep waits for a server's end and starts it again, until ctx ends.
func (p *Platform) keep(ctx context.Context, name string, done func() <-chan struct{}, start func(context.Context) error) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-done():
		}
		p.log("up").ErrorContext(ctx, "server ended by itself and is started again", "server", name)
		for err := start(ctx); err != nil; err = start(ctx) {
			p.log("up").ErrorContext(ctx, "server did not come back and is tried again", "server", name, "error", err)
			if clock.Sleep(ctx, clock.System(), restartPause) != nil {
				return
			}
		}
		p.log("up").InfoContext(ctx, "server is back", "server", name)
	}
}

func (p *Platform) stopSupervisor(context.Context) error {
	p.supervisor.cancel()
	p.supervisor.wait.Wait()
	return nil
}

// String names the platform by its directory.
func (p *Platform) String() string { return fmt.Sprintf("platform in %s", p.config.Dir) }
