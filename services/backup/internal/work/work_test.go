package work

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"

	"github.com/naksha-cloud/naksha/pkg/clock"
)

// oneJob is a queue that holds one job and remembers what became of it.
type oneJob struct {
	claimed   bool
	settled   chan error // the cause with which it was given up; nil = released for another try
	extending func(ctx context.Context) error
}

func (q *oneJob) Claim(context.Context, time.Duration) (Job, bool, error) {
	if q.claimed {
		return Job{}, false, nil
	}
	q.claimed = true
	return Job{ID: uuid.New()}, true, nil
}

func (q *oneJob) Extend(ctx context.Context, _ Job, _ time.Duration) error { return q.extending(ctx) }

func (q *oneJob) Release(context.Context, Job, time.Duration, error) error {
	q.settled <- nil
	return nil
}

func (q *oneJob) GiveUp(_ context.Context, _ Job, cause error) error {
	q.settled <- cause
	return nil
}

func TestPanickingJobIsTriedAgainAndEndsNothingElse(t *testing.T) {
	t.Parallel()
	q := &oneJob{settled: make(chan error, 1), extending: func(context.Context) error { return nil }}
	var log strings.Builder
	r := New(Config{
		Name: "test", Queue: q, Lease: time.Minute, Poll: time.Second, Patience: time.Minute, Parallel: 1,
		Clock: clock.System(), Log: slog.New(slog.NewTextHandler(&log, nil)),
		Handle: func(context.Context, Job) error { panic("broken") },
	})
	if worked, err := r.once(t.Context()); !worked || err != nil {
		t.Fatalf("worked %t, %v", worked, err)
	}
	if cause := <-q.settled; cause != nil || !strings.Contains(log.String(), "job panicked: broken") {
		t.Errorf("settled with %v; log %s", cause, log.String())
	}
}

func TestJobEndsBeforeItsLeaseWhenTheDatabaseHangs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, endsBeforeItsLease)
}

func endsBeforeItsLease(t *testing.T) {
	q := &oneJob{settled: make(chan error, 1), extending: func(ctx context.Context) error {
		<-ctx.Done()
		return ctx.Err()
	}}
	const lease = 2 * time.Second
	r := New(Config{
		Name: "test", Queue: q, Lease: lease, Poll: time.Second, Patience: time.Minute, Parallel: 1,
		Clock: clock.System(), Log: slog.New(slog.DiscardHandler),
		Handle: func(ctx context.Context, _ Job) error {
			<-ctx.Done()
			return ctx.Err()
		},
	})
	begin := time.Now()
	err := r.underLease(t.Context(), Job{ID: uuid.New()})
	if took := time.Since(begin); !errors.Is(err, ErrLost) || took >= lease {
		t.Errorf("the job ended after %s with %v", took, err)
	}
}
