package jobs_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"testing"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/naksha-cloud/naksha/pkg/caller"
	"github.com/naksha-cloud/naksha/pkg/jobs"
	"github.com/naksha-cloud/naksha/pkg/local/localtest"
	"github.com/naksha-cloud/naksha/pkg/obs"
	"github.com/naksha-cloud/naksha/pkg/pg"
	"github.com/naksha-cloud/naksha/pkg/pg/pgtest"
)

func TestMain(m *testing.M) {
	if url := os.Getenv(childURL); url != "" {
		os.Exit(runChild(url))
	}
	os.Exit(localtest.NoLeaks(localtest.Run(m)))
}

type note struct {
	Text string `json:"text"`
}

func (note) Kind() string { return "note" }

type other struct{}

func (other) Kind() string { return "other" }

func newClient(t *testing.T, pool *pg.Pool) *jobs.Client {
	t.Helper()
	c, err := jobs.New(jobs.Config{Service: "test", Pool: pool, Log: slog.New(slog.NewTextHandler(t.Output(), nil))})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func start(t *testing.T, c *jobs.Client) {
	t.Helper()
	if err := c.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(t, c) })
}

func stop(t *testing.T, c *jobs.Client) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), localtest.Patience)
	defer cancel()
	if err := c.Stop(ctx); err != nil {
		t.Errorf("stop: %v", err)
	}
}

func receive[T any](t *testing.T, c <-chan T) (v T) {
	t.Helper()
	select {
	case v = <-c:
	case <-time.After(localtest.Patience):
		t.Fatal("nothing arrived")
	}
	return v
}

func TestJobRunsInItsInsertersTrace(t *testing.T) {
	t.Parallel()
	c, seen := newClient(t, pgtest.Pool(t, nil)), make(chan [3]string, 1)
	jobs.Handle(c, func(ctx context.Context, job jobs.Job[note]) error {
		seen <- [3]string{job.Args.Text, caller.RequestID(ctx), trace.SpanContextFromContext(ctx).TraceID().String()}
		return nil
	}, jobs.Options{})
	start(t, c)
	telemetry, err := obs.New(obs.Config{Service: "test"}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	ctx, span := telemetry.Span(caller.WithRequestID(t.Context(), "r-7"), "insert")
	defer span.End()
	if _, err := c.Insert(ctx, note{"hello"}, jobs.InsertOptions{}); err != nil {
		t.Fatal(err)
	}
	if got, want := receive(t, seen), [3]string{"hello", "r-7", span.SpanContext().TraceID().String()}; got != want {
		t.Errorf("job saw %q, want %q", got, want)
	}
}

func TestFailedJobIsTriedAgainAndSnoozeDoesNotCount(t *testing.T) {
	t.Parallel()
	c, attempts, answers := newClient(t, pgtest.Pool(t, nil)), make(chan int, 8), make(chan error, 4)
	answers <- errors.New("not yet")
	answers <- nil // by panic, below
	answers <- jobs.Snooze(10 * time.Millisecond)
	answers <- nil
	jobs.Handle(c, func(_ context.Context, job jobs.Job[note]) error {
		attempts <- job.Attempt
		answer := <-answers
		if job.Attempt == 2 && answer == nil {
			panic("broken program")
		}
		return answer
	}, jobs.Options{})
	start(t, c)
	if _, err := c.Insert(t.Context(), note{}, jobs.InsertOptions{}); err != nil {
		t.Fatal(err)
	}
	for i, want := range []int{1, 2, 3, 3} {
		if got := receive(t, attempts); got != want {
			t.Errorf("run %d is attempt %d, want %d", i, got, want)
		}
	}
}

func TestCancelledAndExhaustedJobsEnd(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t, nil)
	c := newClient(t, pool)
	jobs.Handle(c, func(_ context.Context, job jobs.Job[note]) error {
		if job.Args.Text == "cancel" {
			return jobs.Cancel(errors.New("no such workspace"))
		}
		if !job.Last {
			t.Error("the only attempt is not the last")
		}
		return errors.New("broken")
	}, jobs.Options{MaxAttempts: 1})
	start(t, c)
	for _, text := range []string{"cancel", "exhaust"} {
		if _, err := c.Insert(t.Context(), note{text}, jobs.InsertOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	waitFor(t, pool, `SELECT count(*) = 2 FROM river_job WHERE state IN ('cancelled', 'discarded') AND finalized_at IS NOT NULL`)
}

func waitFor(t *testing.T, pool *pg.Pool, condition string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), localtest.Patience)
	defer cancel()
	for ok := false; !ok; {
		if err := pool.QueryRow(ctx, condition).Scan(&ok); err != nil {
			t.Fatalf("wait for %s: %v", condition, err)
		}
	}
}

func TestStopCutsLongJobsAndTheyRunAgainWithoutBlame(t *testing.T) {
	t.Parallel()
	pool, attempts, once := pgtest.Pool(t, nil), make(chan int, 4), make(chan struct{}, 1)
	once <- struct{}{}
	client := newClient(t, pool)
	work := func(ctx context.Context, job jobs.Job[note]) error {
		attempts <- job.Attempt
		select {
		case <-once: // the first run waits for its end
			<-ctx.Done()
			if _, err := client.Insert(context.WithoutCancel(ctx), other{}, jobs.InsertOptions{}); err != nil {
				t.Errorf("insert while stopping: %v", err)
			}
			return ctx.Err()
		default:
			return nil
		}
	}
	c := client
	jobs.Handle(c, work, jobs.Options{Timeout: time.Hour})
	jobs.Handle(c, func(context.Context, jobs.Job[other]) error { return nil }, jobs.Options{})
	start(t, c)
	if _, err := c.Insert(t.Context(), note{}, jobs.InsertOptions{}); err != nil {
		t.Fatal(err)
	}
	receive(t, attempts)
	stop(t, c)
	stop(t, c)
	if _, err := c.Insert(t.Context(), note{}, jobs.InsertOptions{}); err == nil {
		t.Error("a stopped client accepts jobs")
	}
	start(t, c) // the same client starts again
	if got := receive(t, attempts); got != 1 {
		t.Errorf("second run is attempt %d, want 1", got)
	}
}
