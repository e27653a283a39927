package jobs

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/riverqueue/river"
	"go.opentelemetry.io/otel/trace"

	"github.com/naksha-cloud/naksha/pkg/obs"
)

// Args are a job's arguments: a struct that JSON carries. They stand in the database for a while: no secrets.
type Args interface {
	// Kind names the job for good, e.g. "backup_snapshot": rows of old versions carry it too.
	Kind() string
}

// Job is one attempt at a job.
type Job[T Args] struct {
	ID      int64
	Args    T
	Attempt int       // from 1
	Created time.Time // when it was inserted
	Last    bool      // no attempt follows this one
}

// Options are a handler's.
type Options struct {
	Timeout     time.Duration // of one attempt; default 1 min; negative = none
	MaxAttempts int           // default 1000; the job is given up afterwards
	Queue       string        // jobs of one queue share its workers; default "default"
}

func (o Options) withDefaults() Options {
	if o.Timeout == 0 {
		o.Timeout = DefaultTimeout
	}
	if o.MaxAttempts == 0 {
		o.MaxAttempts = DefaultMaxAttempts
	}
	if o.Queue == "" {
		o.Queue = river.QueueDefault
	}
	return o
}

// Handle registers work for jobs of T, before Start. Its error is its instruction: nil = done, Snooze = again later
// without blame, Cancel = never again, any other = again after a back-off that doubles from 1 s up to 1 min.
func Handle[T Args](c *Client, work func(ctx context.Context, job Job[T]) error, options Options) {
	var zero T
	c.mu.Lock()
	defer c.mu.Unlock()
	options = options.withDefaults()
	c.handlers[zero.Kind()] = handler{options: options, add: func(workers *river.Workers) error {
		return river.AddWorkerSafely(workers, &worker[T]{client: c, work: work, timeout: options.Timeout})
	}}
}

// Snooze, returned by a handler, runs the job again after d without counting the attempt.
func Snooze(d time.Duration) error { return river.JobSnooze(d) }

// Cancel, returned by a handler, gives the job up because of err.
func Cancel(err error) error { return river.JobCancel(err) }

// envelope is what a row holds: the arguments, and the key that makes them unique.
type envelope[T Args] struct {
	Key  string `json:"key,omitempty"`
	Args T      `json:"args"`
}

// Kind is the kind of the arguments.
func (e envelope[T]) Kind() string { return e.Args.Kind() }

// worker lets River run a handler.
type worker[T Args] struct {
	river.WorkerDefaults[envelope[T]]
	client  *Client
	work    func(ctx context.Context, job Job[T]) error
	timeout time.Duration
}

// Timeout bounds one attempt.
func (w *worker[T]) Timeout(*river.Job[envelope[T]]) time.Duration { return w.timeout }

// Work runs one attempt.
func (w *worker[T]) Work(ctx context.Context, job *river.Job[envelope[T]]) error {
	return w.client.attempt(ctx, job.Kind, job.Metadata, func(ctx context.Context) error {
		return w.work(ctx, Job[T]{
			ID: job.ID, Args: job.Args.Args, Attempt: job.Attempt,
			Created: job.CreatedAt.UTC(), Last: job.Attempt >= job.MaxAttempts,
		})
	})
}

// attempt runs work in the trace of whoever inserted the job, and logs a failure once.
func (c *Client) attempt(ctx context.Context, kind string, metadata []byte, work func(context.Context) error) error {
	ctx = arrive(ctx, metadata)
	ctx, span := c.tracer.Start(ctx, "job "+kind, trace.WithSpanKind(trace.SpanKindConsumer))
	err := safely(ctx, work)
	if err != nil && ctx.Err() != nil && c.stopping.Load() {
		obs.End(span, nil)
		return Snooze(0) // cut by Stop: not the job's fault
	}
	if instruction(err) {
		obs.End(span, nil)
		return err
	}
	obs.End(span, err)
	if err != nil {
		c.cfg.Log.WarnContext(ctx, "job failed", "kind", kind, "error", err)
		return fmt.Errorf("job %s: %w", kind, err)
	}
	return nil
}

// safely turns a panic of work into an error with its stack.
func safely(ctx context.Context, work func(context.Context) error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	return work(ctx)
}

// instruction reports whether err asks River for a snooze.
func instruction(err error) bool {
	var snooze *river.JobSnoozeError
	return errors.As(err, &snooze)
}
