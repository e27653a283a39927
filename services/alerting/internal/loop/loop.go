// Package loop runs a piece of work again and again: until nothing is left, then when it is next due, when somebody
// kicks it, or after a poll. What is due is rows in the database, so a lost kick costs a poll and nothing else.
package loop

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/naksha-cloud/naksha/pkg/clock"
	"github.com/naksha-cloud/naksha/pkg/run"
)

// Poll is how long a loop waits at most: other replicas' rows are seen by it.
const Poll = time.Second

const (
	pause    = 500 * time.Millisecond // after a failure
	contend  = 20 * time.Millisecond  // when something is due that somebody else has in hand
	passTime = time.Minute            // of one pass
	lazy     = 30                     // polls that a worker waits who is not the first
)

// Work is one pass. It returns whether more is left right now, and otherwise when something is next due (zero =
// unknown). A pass that has begun an act finishes it also when ctx ends.
type Work func(ctx context.Context) (more bool, next time.Time, err error)

// Config names a Loop's parts.
type Config struct {
	Name    string // for logs
	Clock   clock.Clock
	Log     *slog.Logger
	Workers int           // passes at the same time
	Poll    time.Duration // longest wait; 0 = Poll
	Work    Work
}

// Loop is a run.Component.
type Loop struct {
	Config
	loop *run.Loop

	mu     sync.Mutex
	kicked chan struct{} // closed and replaced by each kick
}

// New returns a stopped Loop.
func New(c Config) *Loop {
	if c.Poll == 0 {
		c.Poll = Poll
	}
	l := &Loop{Config: c, kicked: make(chan struct{})}
	l.loop = run.NewLoop(l.work)
	return l
}

// Kick makes every worker look now. It never blocks.
func (l *Loop) Kick() {
	l.mu.Lock()
	defer l.mu.Unlock()
	close(l.kicked)
	l.kicked = make(chan struct{})
}

// Start begins to work in the background.
func (l *Loop) Start(ctx context.Context) error { return l.loop.Start(ctx) }

// Stop ends it and waits. A second Stop does nothing.
func (l *Loop) Stop(ctx context.Context) error { return l.loop.Stop(ctx) }

// work runs the workers until they are stopped, each after the pass in hand.
func (l *Loop) work(ctx context.Context) {
	var workers sync.WaitGroup
	for i := range l.Workers {
		workers.Go(func() { l.repeat(ctx, i == 0) })
	}
	workers.Wait()
}

// repeat is one worker. The first polls, and wakes the others when there is more than it can do alone.
func (l *Loop) repeat(ctx context.Context, first bool) {
	for ctx.Err() == nil {
		kicked := l.kick() // before the pass: what arrives during it is not missed
		more, next, err := l.pass(ctx)
		if more && err == nil {
			if first {
				l.Kick()
			}
			continue
		}
		if err != nil && ctx.Err() == nil {
			l.Log.WarnContext(ctx, "work failed and is tried again", "work", l.Name, "error", err)
		}
		l.wait(ctx, kicked, l.delay(next, err, first))
	}
}

func (l *Loop) pass(ctx context.Context) (more bool, next time.Time, err error) {
	ctx, cancel := context.WithTimeout(ctx, passTime)
	defer cancel()
	return l.Work(ctx)
}

func (l *Loop) kick() <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.kicked
}

func (l *Loop) delay(next time.Time, err error, first bool) time.Duration {
	poll := l.Poll
	if !first {
		poll *= lazy
	}
	if err != nil {
		return pause
	}
	if next.IsZero() {
		return poll
	}
	until := next.Sub(l.Clock.Now())
	if until <= 0 {
		until = contend
	}
	return min(until, poll)
}

func (l *Loop) wait(ctx context.Context, kicked <-chan struct{}, d time.Duration) {
	timer := l.Clock.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-kicked:
	case <-timer.C():
	}
}
