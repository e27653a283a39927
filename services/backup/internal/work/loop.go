package work

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/naksha-cloud/naksha/pkg/clock"
	"github.com/naksha-cloud/naksha/pkg/run"
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
	loop   *run.Loop
}

// NewLoop returns a stopped Loop.
func NewLoop(c LoopConfig) *Loop {
	c.Parallel = max(1, c.Parallel)
	l := &Loop{config: c, kick: make(chan struct{}, c.Parallel)}
	l.loop = run.NewLoop(l.work)
	return l
}

// Kick makes the Loop look for work now.
func (l *Loop) Kick() {
	select {
	case l.kick <- struct{}{}:
	default:
	}
}

// Start begins to work in the background.
func (l *Loop) Start(ctx context.Context) error { return l.loop.Start(ctx) }

// Stop ends it and waits. A second Stop does nothing.
func (l *Loop) Stop(ctx context.Context) error { return l.loop.Stop(ctx) }

// work runs the copies until they are stopped, which interrupts their steps.
func (l *Loop) work(ctx context.Context) {
	var copies sync.WaitGroup
	for range l.config.Parallel {
		copies.Go(func() { l.repeat(ctx) })
	}
	copies.Wait()
}

func (l *Loop) repeat(ctx context.Context) {
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
