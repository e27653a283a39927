package run

import (
	"context"
	"sync"
	"time"

	"github.com/naksha-cloud/naksha/pkg/clock"
)

// Loop is a Component that runs one function in the background from Start until Stop. It can be started again. What is
// to be done, and when, is the function's business: it rests by Rest, and returns when its context ends.
type Loop struct {
	body func(ctx context.Context)
	wake chan struct{}

	mu     sync.Mutex
	cancel context.CancelFunc // nil while it is stopped
	ended  chan struct{}      // closes with the newest run; nil = there was none
}

// NewLoop returns a stopped Loop.
func NewLoop(body func(ctx context.Context)) *Loop {
	return &Loop{body: body, wake: make(chan struct{}, 1)}
}

// Every returns a stopped Loop that calls step at once and then again and again: after d, or when it is woken.
func Every(c clock.Clock, d time.Duration, step func(ctx context.Context)) *Loop {
	var l *Loop
	l = NewLoop(func(ctx context.Context) {
		for ctx.Err() == nil {
			step(ctx)
			l.Rest(ctx, c, d)
		}
	})
	return l
}

// Wake ends the Rest in hand, or the next one. It never blocks, and may be called while the Loop is stopped.
func (l *Loop) Wake() {
	select {
	case l.wake <- struct{}{}:
	default: // it will wake anyway
	}
}

// Rest returns after d, when the Loop is woken, or when ctx ends.
func (l *Loop) Rest(ctx context.Context, c clock.Clock, d time.Duration) {
	timer := c.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-l.wake:
	case <-timer.C():
	}
}

// Start begins; a Loop that runs is left alone. A run that an impatient Stop left behind is waited for.
func (l *Loop) Start(ctx context.Context) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.cancel != nil {
		return nil
	}
	if err := await(ctx, l.ended); err != nil {
		return err
	}
	running, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	l.cancel, l.ended = cancel, ended
	go func() {
		defer close(ended)
		l.body(running)
	}()
	return nil
}

// Stop ends the run and waits for it, or for the end of ctx. A second Stop does nothing.
func (l *Loop) Stop(ctx context.Context) error {
	l.mu.Lock()
	cancel, ended := l.cancel, l.ended
	l.cancel = nil
	l.mu.Unlock()
	if cancel == nil {
		return nil
	}
	cancel()
	return await(ctx, ended)
}

// await waits for a run's end, or for that of ctx.
func await(ctx context.Context, ended <-chan struct{}) error {
	if ended == nil {
		return nil
	}
	select {
	case <-ended:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
