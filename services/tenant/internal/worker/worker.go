// Package worker repeats one act in the background: when it is woken, and after a while. Which work there is, the act
// reads from the record; the worker owns the goroutine, the pauses after failures, and one log line per outage.
package worker

import (
	"context"
	"log/slog"
	"time"

	"github.com/naksha-cloud/naksha/pkg/clock"
	"github.com/naksha-cloud/naksha/pkg/run"
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
	*run.Loop
}

// New returns a stopped Worker that acts at its start, when woken, and every so often.
func New(name string, every time.Duration, c clock.Clock, log *slog.Logger, act func(ctx context.Context) error) *Worker {
	w := &Worker{name: name, every: every, clock: c, log: log, act: act}
	w.Loop = run.NewLoop(w.work)
	return w
}

func (w *Worker) work(ctx context.Context) {
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
	w.Rest(ctx, w.clock, pause)
	return ctx.Err() == nil
}
