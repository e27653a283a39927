// Package worker repeats one act in the background: when it is woken, and after a while. Which work there is, the act
// reads from the record; the worker owns the goroutine, the pauses after failures, and one log line per outage.
package worker

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/naksha-cloud/naksha/pkg/clock"
)

// firstPause and lastPause bound how long a failed act rests; it doubles in between.
const firstPause, lastPause = 200 * time.Millisecond, 10 * time.Second

// Worker is a run.Component.
type Worker struct {
	name  string
	every time.Duration
	clock clock.Clock
	log   *slog.Logger
	act   func(ctx context.Context) error
	wake  chan struct{}

	mu     sync.Mutex
	cancel context.CancelFunc
	done   chan struct{}
}

// New returns a stopped Worker that acts at its start, when woken, and every so often.
func New(name string, every time.Duration, c clock.Clock, log *slog.Logger, act func(ctx context.Context) error) *Worker {
	return &Worker{name: name, every: every, clock: c, log: log, act: act, wake: make(chan struct{}, 1)}
}

// Wake has the Worker act soon. It never blocks, and may be called while the Worker is stopped.
func (w *Worker) Wake() {
	select {
	case w.wake <- struct{}{}:
	default: // it will act anyway
	}
}

// Start begins; a started Worker is left alone.
func (w *Worker) Start(context.Context) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.cancel != nil {
		return nil
	}
	ctx, cancel := context.WithCancel(context.Background())
	w.cancel, w.done = cancel, make(chan struct{})
	go w.run(ctx, w.done)
	return nil
}

// Stop ends the act in hand and waits for it. A second Stop does nothing.
func (w *Worker) Stop(context.Context) error {
	w.mu.Lock()
	cancel, done := w.cancel, w.done
	w.cancel = nil
	w.mu.Unlock()
	if cancel != nil {
		cancel()
		<-done
	}
	return nil
}

func (w *Worker) run(ctx context.Context, done chan struct{}) {
	defer close(done)
	failures := 0
	for ctx.Err() == nil {
		err := w.act(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err == nil && failures > 0:
			w.log.InfoContext(ctx, "background work recovered", "worker", w.name, "failures", failures)
			failures = 0
		case err != nil:
			if failures++; failures == 1 {
				w.log.WarnContext(ctx, "background work failed and is tried again", "worker", w.name, "error", err)
			}
		}
		if !w.rest(ctx, failures) {
			return
		}
	}
}

// rest waits until there may be work. A failed act rests for a moment even when it is woken.
func (w *Worker) rest(ctx context.Context, failures int) bool {
	pause := w.every
	if failures > 0 {
		if clock.Sleep(ctx, w.clock, firstPause) != nil {
			return false
		}
		pause = min(firstPause<<min(failures-1, 10), lastPause)
	}
	timer := w.clock.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-w.wake:
	case <-timer.C():
	}
	return true
}
