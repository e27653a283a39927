// Package chaostest breaks a real platform, `naksha up` as a process of its own, in the ways the world does: kills, pauses,
// power loss, full and failing disks, damaged files, a broker out of reach. Clients keep placing orders meanwhile, and a
// history remembers which of them were acknowledged; outsiders then count what is there. It owns the faults and the
// verdict: acknowledged and lost 0, effects twice 0. It refuses to look inside of a service; what it reports was seen
// through public interfaces and the platform's database.
package chaostest

import (
	"context"
	"fmt"
	"time"
)

// until asks again and again until the answer is nil; when ctx ends, the last answer is the error.
func until(ctx context.Context, ask func() error) error {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		err := ask()
		if err == nil {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("%w: %w", context.Cause(ctx), err)
		}
	}
}

// bounded is a part of a test with a time limit of its own and a name for the error.
func bounded(ctx context.Context, limit time.Duration, what string) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(ctx, limit, fmt.Errorf("%s takes longer than %v", what, limit))
}
