package outbox

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"time"

	"github.com/google/uuid"

	"github.com/naksha-cloud/naksha/pkg/clock"
)

// Reconcile compares the owner's heads with what was taken, and fetches what the bus lost without a trace: the last facts
// of an aggregate, or all of them. It waits for what the bus may still bring.
func (in *Intake) Reconcile(ctx context.Context) error {
	begun := in.Clock.Now()
	since, wide, err := in.since(ctx, begun)
	if err != nil {
		return err
	}
	var errs []error
	for page := ""; ; {
		heads, err := in.Owner.Heads(ctx, since, page)
		if err != nil {
			return fmt.Errorf("ask for heads: %w", err)
		}
		errs = append(errs, in.compare(ctx, heads.Heads))
		if page = heads.Next; page == "" {
			if err := errors.Join(errs...); err != nil {
				return err
			}
			return in.settle(ctx, heads.Until, begun, wide)
		}
	}
}

// overlap is how long a change may take from its time to its commit. After a start, and once an hour, more is compared
// again: a commit may have waited for a lock.
const (
	overlap     = 30 * time.Second
	wideOverlap = time.Hour
)

// since is from when on heads are compared.
func (in *Intake) since(ctx context.Context, now time.Time) (since time.Time, wide bool, err error) {
	compared, err := in.Ledger.Compared(ctx)
	if err != nil || compared.IsZero() {
		return time.Time{}, true, err
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	if now.Sub(in.widened) < wideOverlap {
		return compared.Add(-overlap), false, nil
	}
	return compared.Add(-wideOverlap), true, nil
}

// settle moves the moment up to which heads are known to be reached, after a comparison that began at begun.
func (in *Intake) settle(ctx context.Context, until, begun time.Time, wide bool) error {
	if err := in.Ledger.SetCompared(ctx, until); err != nil {
		return err
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	if wide {
		in.widened = begun
	}
	old := in.Clock.Now().Add(-gapLife)
	maps.DeleteFunc(in.gaps, func(_ string, seen time.Time) bool { return seen.Before(old) })
	maps.DeleteFunc(in.held, func(_ string, h hold) bool { return h.until.Before(old) })
	return nil
}

// compare reaches those heads that are still behind when the bus has brought all that it has.
func (in *Intake) compare(ctx context.Context, heads []Head) error {
	behind, err := in.Ledger.Behind(ctx, heads)
	if err != nil || len(behind) == 0 {
		return err
	}
	if err := in.awaitBus(ctx); err != nil {
		return err
	}
	if behind, err = in.Ledger.Behind(ctx, heads); err != nil {
		return err
	}
	var errs []error
	for _, b := range behind {
		errs = append(errs, in.reach(ctx, b))
	}
	return errors.Join(errs...)
}

const awaitPoll = 500 * time.Millisecond

// awaitBus waits until what is in the stream now was handed out and handled.
func (in *Intake) awaitBus(ctx context.Context) error {
	last, err := in.Stream.Last(ctx)
	if err != nil {
		return err
	}
	for {
		passed, err := in.Stream.Passed(ctx, last)
		if passed || err != nil {
			return err
		}
		if err := clock.Sleep(ctx, in.Clock, awaitPoll); err != nil {
			return err
		}
	}
}

func (in *Intake) reach(ctx context.Context, b Behind) error {
	if _, waiting := in.waiting(b.Aggregate, b.Recorded+1); waiting {
		return fmt.Errorf("a fact of %s is tried again first", b.Aggregate)
	}
	taken, err := in.catchUp(ctx, b.Aggregate, b.Recorded)
	if taken > 0 {
		in.mended(ctx, Finding{Reason: Unreached, Aggregate: b.Aggregate, Facts: taken})
	}
	if errors.Is(err, errHole) {
		return in.giveUp(ctx, lost(b, in.Clock.Now()), err, 1)
	}
	return err
}

// lost stands for facts that nobody has any more: as a dead letter, it parks the aggregate until somebody decides.
func lost(b Behind, now time.Time) Event {
	id, err := uuid.NewV7()
	if err != nil {
		id = uuid.New()
	}
	return Event{At: now, ID: id, Aggregate: b.Aggregate, Version: b.Recorded}
}
