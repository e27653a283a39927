package jobs

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"
)

// riverConfig is the one place that knows River's settings.
func (c *Client) riverConfig() (*river.Config, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	workers, queues := river.NewWorkers(), map[string]river.QueueConfig{}
	for _, h := range c.handlers {
		if err := h.add(workers); err != nil {
			return nil, err
		}
		queues[h.options.Queue] = river.QueueConfig{MaxWorkers: c.cfg.Workers}
	}
	config := &river.Config{
		ID:                          c.id,
		Schema:                      c.cfg.Schema,
		Workers:                     workers,
		Queues:                      queues,
		PeriodicJobs:                c.periodic(),
		Logger:                      slog.New(quiet{c.cfg.Log.Handler()}),
		RetryPolicy:                 backoff{},
		MaxAttempts:                 DefaultMaxAttempts,
		JobTimeout:                  DefaultTimeout,
		RescueStuckJobsAfter:        5 * time.Minute, // beside our own rescue; River respects longer timeouts of handlers
		SoftStopTimeout:             softStop,
		CompletedJobRetentionPeriod: keepDone,
		PollOnly:                    c.cfg.PollOnly,
		FetchCooldown:               time.Millisecond, // also: an insert so soon after another does not notify
		FetchPollInterval:           2 * time.Second,  // a fallback: LISTEN says when there is work
	}
	if c.cfg.PollOnly {
		config.FetchPollInterval = time.Second
	}
	return config, nil
}

// backoff doubles from 1 s up to 1 min, less up to a tenth, so that what failed together does not return together.
type backoff struct{}

// NextRetry is when the job runs again.
func (backoff) NextRetry(job *rivertype.JobRow) time.Time {
	return time.Now().UTC().Add(delay(job.Attempt))
}

func delay(attempt int) time.Duration {
	d := maxBackoff
	if shift := max(attempt-1, 0); shift < 6 {
		d = min(time.Second<<shift, maxBackoff)
	}
	return d - rand.N(d/10+1) //nolint:gosec // spread, not secrecy
}

// quiet lets through only River's errors, as warnings: failed jobs are logged by us, and what River itself stumbles over
// (a lost connection) it tries again.
type quiet struct{ slog.Handler }

// Enabled is true from Error on.
func (q quiet) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= slog.LevelError && q.Handler.Enabled(ctx, level)
}

// Handle writes the record as a warning.
func (q quiet) Handle(ctx context.Context, r slog.Record) error {
	r.Level = slog.LevelWarn
	return q.Handler.Handle(ctx, r)
}

// WithAttrs keeps quiet.
func (q quiet) WithAttrs(attrs []slog.Attr) slog.Handler { return quiet{q.Handler.WithAttrs(attrs)} }

// WithGroup keeps quiet.
func (q quiet) WithGroup(name string) slog.Handler { return quiet{q.Handler.WithGroup(name)} }
