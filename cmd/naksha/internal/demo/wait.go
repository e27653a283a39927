package demo

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// until asks again and again until the answer is yes, an error, or time is up.
func until(ctx context.Context, pause time.Duration, ask func() (bool, error)) error {
	tick := time.NewTicker(pause)
	defer tick.Stop()
	for {
		yes, err := ask()
		if yes || err != nil {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// bounded is a part of a step with a time limit of its own and a name for the error.
func bounded(ctx context.Context, limit time.Duration, what string) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(ctx, limit, fmt.Errorf("%s takes longer than %v", what, limit))
}

// percentile returns the p-th percentile (nearest rank) of what was measured; p from 0 to 100.
func percentile(measured []time.Duration, p int) time.Duration {
	if len(measured) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(measured))
	return sorted[max(0, (len(sorted)*p+99)/100-1)]
}
