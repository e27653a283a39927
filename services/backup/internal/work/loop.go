package work

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/naksha-cloud/naksha/pkg/clock"
)

// LoopConfig says what a Loop repeats.
type LoopConfig struct {
	Name     string        // for logs
	Parallel int           // copies of the loop; 0 = 1
	Every    time.Duration // pause when there was nothing to do
	Step     func(ctx context.Context) (worked bool, err error)
	Clock    clock.Clock
	Log      *slog.Logger
}

// Loop is a run.Component that repeats a step while it finds work, and looks again when kicked or after a pause.
type Loop struct {
	config LoopConfig
	kick   chan struct{}

	mu     sync.Mutex
	cancel context.CancelFunc
	wait   sync.WaitGroup
}

// NewLoop returns a stopped Loop.
func NewLoop(c LoopConfig) *Loop {
	c.Parallel = max(1, c.Parallel)
	return &Loop{config: c, kick: make(chan struct{}, c.Parallel)}
}

// Kick makes the Loop look for work now.
func (l *Loop) Kick() {
	select {
	case l.kick <- struct{}{}:
	default:
	}
}

// Start begins to look for work.
func (l *Loop) Start(ctx context.Context) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.cancel != nil {
		return nil
	}
	ctx, l.cancel = context.WithCancel(context.WithoutCancel(ctx))
	for range l.config.Parallel {
		l.wait.Go(func() { l.run(ctx) })
	}
	return nil
}

// Stop interrupts the steps and returns when all have ended. A second Stop does nothing.
func (l *Loop) Stop(context.Context) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.cancel != nil {
		l.cancel()
		l.wait.Wait()
		l.cancel = nil
	}
	return nil
}

func (l *Loop) run(ctx context.Context) {
	for ctx.Err() == nil {
		worked, err := l.config.Step(ctx)
		if err != nil && ctx.Err() == nil {
			l.config.Log.WarnContext(ctx, "step failed and will be tried again", "worker", l.config.Name, "error", err)
		}
		if !worked || err != nil {
			l.idle(ctx)
		}
	}
}

func (l *Loop) idle(ctx context.Context) {
	timer := l.config.Clock.NewTimer(l.config.Every)
	defer timer.Stop()
	select {
	case <-l.kick:
	case <-timer.C():
	case <-ctx.Done():
	}
}

// Name is what logs call the Loop.
func (l *Loop) Name() string { return l.config.Name }
