// Package work runs long jobs that are rows: it claims them under a lease, keeps the lease alive while the job runs, and
// decides after an error between another try and giving up. What a job does is the handler's; a job may be run again
// after a crash at any line, so handlers repeat their steps without harm.
package work

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"github.com/google/uuid"
	"google.golang.org/grpc/codes"

	"github.com/naksha-cloud/naksha/pkg/clock"
	"github.com/naksha-cloud/naksha/pkg/fault"
)

// Job is a claimed row.
type Job struct {
	ID        uuid.UUID
	Ref       string    // of the workspace
	Token     int       // writes with an older token are refused: the lease went to somebody else
	Failures  int       // tries that ended in an error
	CreatedAt time.Time // when it was asked for
	Committed bool      // cannot be given up any more: it goes forward until done
}

// Queue is where the rows are.
type Queue interface {
	// Claim takes the next due job under a lease; false when there is none.
	Claim(ctx context.Context, lease time.Duration) (Job, bool, error)
	// Extend prolongs the lease. ErrLost: somebody else has the job, or it has ended.
	Extend(ctx context.Context, j Job, lease time.Duration) error
	// Release gives the job back, to be tried after a delay; cause is the error that the try ended in, nil when it was
	// interrupted.
	Release(ctx context.Context, j Job, delay time.Duration, cause error) error
	// GiveUp ends the job with an error.
	GiveUp(ctx context.Context, j Job, cause error) error
}

// ErrLost says that a job belongs to somebody else by now, or has ended.
var ErrLost = errors.New("the job's lease was lost")

// Config says how jobs are run.
type Config struct {
	Name     string // of the kind of job, for logs
	Parallel int    // jobs at once
	Lease    time.Duration
	Poll     time.Duration // how often to look when nobody kicks
	Patience time.Duration // how long errors that may pass are retried, counted from the request
	Queue    Queue
	Handle   func(ctx context.Context, j Job) error
	Clock    clock.Clock
	Log      *slog.Logger
}

// tries bounds the attempts at a job whose errors do not look as if they pass.
const tries = 3

// releaseWait bounds the last word to the database when a job is interrupted.
const releaseWait = 3 * time.Second

// Runner is a Loop that works on one Queue.
type Runner struct {
	*Loop
	config Config
}

// New returns a stopped Runner.
func New(c Config) *Runner {
	r := &Runner{config: c}
	r.Loop = NewLoop(LoopConfig{
		Name: c.Name, Parallel: c.Parallel, Every: c.Poll, Step: r.once, Clock: c.Clock, Log: c.Log,
	})
	return r
}

// once works on one job, if there is one.
func (r *Runner) once(ctx context.Context) (worked bool, err error) {
	job, found, err := r.config.Queue.Claim(ctx, r.config.Lease)
	if err != nil || !found {
		return false, err
	}
	err = r.underLease(ctx, job)
	if err == nil || errors.Is(err, ErrLost) {
		return true, nil
	}
	settle, cancel := context.WithTimeout(context.WithoutCancel(ctx), releaseWait)
	defer cancel()
	if ctx.Err() != nil { // we are stopping: the next start goes on at once
		return true, r.config.Queue.Release(settle, job, 0, nil)
	}
	delay, again := r.decide(job, err)
	if again {
		r.config.Log.WarnContext(ctx, "job failed and will be tried again",
			"kind", r.config.Name, "id", job.ID, "workspace", job.Ref, "delay", delay, "error", err)
		return true, r.config.Queue.Release(settle, job, delay, err)
	}
	r.config.Log.ErrorContext(ctx, "job was given up", "kind", r.config.Name, "id", job.ID, "workspace", job.Ref, "error", err)
	return true, r.config.Queue.GiveUp(settle, job, err)
}

// underLease runs the job and stops it when the lease cannot be prolonged.
func (r *Runner) underLease(ctx context.Context, job Job) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var beat sync.WaitGroup
	defer beat.Wait()
	done := make(chan struct{})
	defer close(done)
	beat.Go(func() { r.beat(ctx, job, done, cancel) })
	err := r.handle(ctx, job)
	if cause := context.Cause(ctx); errors.Is(cause, ErrLost) {
		return ErrLost
	}
	return err
}

// handle makes a panic an error: one job that breaks its handler must not end the process, again at each claim.
func (r *Runner) handle(ctx context.Context, job Job) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("job panicked: %v\n%s", p, debug.Stack())
		}
	}()
	return r.config.Handle(ctx, job)
}

// extend prolongs the lease. It is bounded: while a database hangs, the lease runs out elsewhere.
func (r *Runner) extend(ctx context.Context, job Job) error {
	ctx, cancel := context.WithTimeout(ctx, r.config.Lease/8)
	defer cancel()
	return r.config.Queue.Extend(ctx, job, r.config.Lease)
}

// beat prolongs the lease until the job is done, and ends the job when that failed for too long.
func (r *Runner) beat(ctx context.Context, job Job, done <-chan struct{}, cancel context.CancelCauseFunc) {
	missed := 0
	for {
		timer := r.config.Clock.NewTimer(r.config.Lease / 4)
		select {
		case <-timer.C():
		case <-done:
			timer.Stop()
			return
		case <-ctx.Done():
			timer.Stop()
			return
		}
		err := r.extend(ctx, job)
		if err == nil {
			missed = 0
			continue
		}
		if missed++; errors.Is(err, ErrLost) || missed == 2 {
			cancel(ErrLost)
			return
		}
	}
}

// decide says whether a job is tried again after err, and when.
func (r *Runner) decide(job Job, err error) (delay time.Duration, again bool) {
	delay = Backoff(job.Failures)
	if job.Committed {
		return delay, true
	}
	switch fault.CodeOf(err) {
	case codes.Unavailable, codes.DeadlineExceeded, codes.ResourceExhausted, codes.Aborted:
		return delay, r.config.Clock.Now().Sub(job.CreatedAt) < r.config.Patience
	case codes.Internal, codes.Unknown, codes.DataLoss, codes.NotFound, codes.Canceled:
		return delay, job.Failures+1 < tries
	default: // the job itself is wrong
		return 0, false
	}
}

// Backoff is the delay after so many failures: half a second, doubled each time, at most half a minute.
func Backoff(failures int) time.Duration {
	return min(500*time.Millisecond<<min(failures, 10), 30*time.Second)
}
