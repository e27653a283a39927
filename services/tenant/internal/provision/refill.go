package provision

import (
	"context"
	"sync"
)

// Refiller keeps the number of ready slots at the low-water mark.
type Refiller struct {
	Builder  *Builder
	LowWater int // ready slots
	Workers  int // slots that are built at once
}

// Refill builds slots until there are enough, or one cannot be built.
func (r *Refiller) Refill(ctx context.Context) error {
	for {
		count, err := r.Builder.slots.CountSlots(ctx, r.Builder.cellID)
		if err != nil {
			return err
		}
		missing := r.LowWater - count.Ready - count.Building
		if missing <= 0 {
			return nil
		}
		if err := r.round(ctx, min(missing, r.Workers)); err != nil {
			return err
		}
	}
}

// round builds n slots side by side and returns the first error.
func (r *Refiller) round(ctx context.Context, n int) error {
	var wg sync.WaitGroup
	errs := make([]error, n)
	for i := range n {
		wg.Go(func() { errs[i] = r.Builder.Build(ctx) })
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
