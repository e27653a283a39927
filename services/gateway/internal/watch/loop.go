// Package watch is what the gateway does on its own account while calls pass: it looks whether too many keys are being
// refused, and whether another replica has heard of a revocation.
package watch

import (
	"context"
	"sync"
	"time"

	"github.com/naksha-cloud/naksha/pkg/clock"
)

// loop calls step at once and then again and again, until it is stopped. It can be started again.
type loop struct {
	clock clock.Clock
	every time.Duration
	wake  chan struct{} // a hint to step sooner
	step  func(ctx context.Context)

	mu     sync.Mutex
	cancel context.CancelFunc
	done   chan struct{}
}

func newLoop(c clock.Clock, every time.Duration, step func(ctx context.Context)) *loop {
	return &loop{clock: c, every: every, wake: make(chan struct{}, 1), step: step}
}

// Start begins to look in the background.
func (l *loop) Start(ctx context.Context) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.cancel != nil {
		return nil
	}
	ctx, l.cancel = context.WithCancel(context.WithoutCancel(ctx))
	l.done = make(chan struct{})
	go l.run(ctx, l.done)
	return nil
}

// Stop ends it and waits. A second Stop does nothing.
func (l *loop) Stop(context.Context) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.cancel != nil {
		l.cancel()
		<-l.done
		l.cancel = nil
	}
	return nil
}

// Wake makes the next step come now.
func (l *loop) Wake() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

func (l *loop) run(ctx context.Context, done chan<- struct{}) {
	defer close(done)
	for ctx.Err() == nil {
		l.step(ctx)
		l.wait(ctx)
	}
}

func (l *loop) wait(ctx context.Context) {
	timer := l.clock.NewTimer(l.every)
	defer timer.Stop()
	select {
	case <-timer.C():
	case <-l.wake:
	case <-ctx.Done():
	}
}
