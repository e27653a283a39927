package rotate

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/naksha-cloud/naksha/pkg/clock"
	"github.com/naksha-cloud/naksha/pkg/run"
)

const (
	idlePoll = 2 * time.Second        // looks without a kick: another replica may have accepted a rotation
	busyPoll = 100 * time.Millisecond // pause between two looks at least
	giveBack = 2 * time.Second        // how long the end of a lease may take when the Worker stops
)

// WorkerConfig bounds a Worker.
type WorkerConfig struct {
	Owner string        // who holds the leases; for people who look at the rows
	Lease time.Duration // how long a rotation stays with a replica that does not answer any more
	Limit int           // rotations at a time
}

// Worker claims rotations that are due and has the Engine advance them. Replicas share the work; one that dies loses its
// leases to the others.
type Worker struct {
	engine  *Engine
	journal Journal
	config  WorkerConfig
	clock   clock.Clock
	log     *slog.Logger
	*run.Loop
}

// NewWorker returns a stopped Worker.
func NewWorker(e *Engine, c WorkerConfig) *Worker {
	w := &Worker{engine: e, journal: e.journal, config: c, clock: e.clock, log: e.log}
	w.Loop = run.NewLoop(w.work)
	return w
}

// Kick makes the Worker look now; it is called after commits that made a rotation due.
func (w *Worker) Kick() { w.Wake() }

// work claims and advances until it is stopped; then the steps in hand end, and their leases are given back.
func (w *Worker) work(ctx context.Context) {
	var working sync.WaitGroup
	defer working.Wait()
	slots := make(chan struct{}, w.config.Limit)
	for ctx.Err() == nil {
		leases := w.claim(ctx, cap(slots)-len(slots))
		for _, l := range leases {
			slots <- struct{}{}
			working.Go(func() {
				defer func() { <-slots; w.Kick() }()
				w.advance(ctx, l)
			})
		}
		w.Rest(ctx, w.clock, w.pause(ctx))
	}
}

func (w *Worker) claim(ctx context.Context, limit int) []*Lease {
	if limit == 0 {
		return nil
	}
	leases, err := w.journal.Claim(ctx, w.config.Owner, limit, w.config.Lease)
	if err != nil && ctx.Err() == nil {
		w.log.WarnContext(ctx, "rotations could not be claimed", "error", err)
	}
	return leases
}

func (w *Worker) advance(ctx context.Context, l *Lease) {
	err := w.engine.Advance(ctx, l)
	if err == nil {
		return
	}
	if ctx.Err() == nil {
		w.log.ErrorContext(ctx, "rotation could not be advanced", "rotation", l.Rotation.Name(), "error", err)
		return // the lease's end is the pause before the next try
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), giveBack)
	defer cancel()
	if err := w.journal.Release(ctx, l); err != nil {
		w.log.WarnContext(ctx, "lease was not given back", "rotation", l.Rotation.Name(), "error", err)
	}
}

// pause measures how rotations stand, and returns the time until the next one is due, at most idlePoll.
func (w *Worker) pause(ctx context.Context) time.Duration {
	seen, err := w.journal.Survey(ctx)
	if err != nil {
		return idlePoll
	}
	now := w.clock.Now()
	w.engine.metrics.survey(ctx, seen, now)
	if seen.NextDue.IsZero() {
		return idlePoll
	}
	return min(max(seen.NextDue.Sub(now), busyPoll), idlePoll)
}
