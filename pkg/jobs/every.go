package jobs

import (
	"context"
	"fmt"
	"time"

	"github.com/riverqueue/river"
)

// tickKind is the kind of all periodic jobs; their name is the argument.
const tickKind = "every"

// tick is periodic work.
type tick struct {
	interval time.Duration
	work     func(ctx context.Context) error
}

// tickArgs say which periodic work is due.
type tickArgs struct {
	Name string `json:"name"`
}

// Kind is the same for all periodic work.
func (tickArgs) Kind() string { return tickKind }

// Every runs work each interval (whole seconds, 1 s at least) and once after a start, on one instance of the service at
// a time; never twice at once. Register before Start. A failure is logged, and the next interval tries again.
func Every(c *Client, name string, interval time.Duration, work func(ctx context.Context) error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ticks[name] = tick{interval: max(interval, time.Second), work: work}
}

// addTicks registers the one worker of all periodic work.
func (c *Client) addTicks(workers *river.Workers) error {
	return river.AddWorkerSafely(workers, &worker[tickArgs]{client: c, work: c.runTick, timeout: tickTimeout})
}

// tickTimeout bounds one run of periodic work.
const tickTimeout = 10 * time.Minute

func (c *Client) runTick(ctx context.Context, job Job[tickArgs]) error {
	c.mu.Lock()
	t, ok := c.ticks[job.Args.Name]
	c.mu.Unlock()
	if !ok {
		return Cancel(fmt.Errorf("no periodic work is called %q any more", job.Args.Name))
	}
	if err := t.work(ctx); err != nil {
		return fmt.Errorf("%s: %w", job.Args.Name, err)
	}
	return nil
}

// periodic lists the schedules for River.
func (c *Client) periodic() []*river.PeriodicJob {
	var list []*river.PeriodicJob
	for name, t := range c.ticks {
		due := func() (river.JobArgs, *river.InsertOpts) {
			return outgoing{kind: tickKind, Key: name, Args: tickArgs{Name: name}},
				&river.InsertOpts{MaxAttempts: 1, UniqueOpts: unfinished()}
		}
		list = append(list, river.NewPeriodicJob(river.PeriodicInterval(t.interval), due,
			&river.PeriodicJobOpts{ID: "every_" + name, RunOnStart: true}))
	}
	return list
}
