package outbox

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/naksha-cloud/naksha/pkg/bus"
)

// hold is a fact that failed and is tried again: what follows it in its aggregate waits, and is not missing anything.
type hold struct {
	version int64
	tries   uint64
	until   time.Time // by then it should have come again
}

// redelivery is how much later than asked for the bus may bring a fact again.
const redelivery = 2 * time.Second

// failure is an error of a reaction, as opposed to one of the ledger or the owner.
type failure struct{ error }

func (f failure) Unwrap() error { return f.error }

// failed decides what follows from the error that a fact was not taken for: another try, or a dead letter when it was
// rejected or its reaction failed too often. comesAgain: the bus will bring it.
func (in *Intake) failed(ctx context.Context, a *arrival, err error, comesAgain bool) error {
	if ctx.Err() != nil {
		return err // we stop; nothing is known of the fact
	}
	tries := in.tried(a.Event)
	var ours failure
	if bus.Rejected(err) || errors.As(err, &ours) && tries >= maxTries {
		if err := in.giveUp(ctx, a.Event, err, tries); err != nil {
			return fmt.Errorf("give up fact %s: %w", a.ID, err)
		}
		in.release([]*arrival{a})
		return nil
	}
	delay := bus.Delay(err, tries)
	until := in.Clock.Now().Add(delay)
	if comesAgain {
		until = until.Add(redelivery)
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	in.held[a.Aggregate] = hold{version: a.Version, tries: tries, until: until}
	return bus.Retry(delay, err)
}

// tried is how often e was tried, this time included.
func (in *Intake) tried(e Event) uint64 {
	in.mu.Lock()
	defer in.mu.Unlock()
	if h, ok := in.held[e.Aggregate]; ok && h.version == e.Version {
		return h.tries + 1
	}
	return 1
}

// waiting says whether a fact before version is going to be tried again, and how long to wait for it.
func (in *Intake) waiting(aggregate string, version int64) (time.Duration, bool) {
	in.mu.Lock()
	defer in.mu.Unlock()
	h, ok := in.held[aggregate]
	wait := h.until.Sub(in.Clock.Now())
	return max(wait, 50*time.Millisecond), ok && h.version < version && wait > 0
}

// gapLife is after how long a gap that was not seen again is another one.
const gapLife = time.Minute

// young says whether a gap is so new that another replica may have what is missing in hand, and how long to wait for it.
func (in *Intake) young(aggregate string) (time.Duration, bool) {
	in.mu.Lock()
	defer in.mu.Unlock()
	now := in.Clock.Now()
	seen, ok := in.gaps[aggregate]
	if !ok || now.Sub(seen) > gapLife {
		seen = now
		in.gaps[aggregate] = now
	}
	wait := seen.Add(in.Patience).Sub(now)
	return max(wait, 50*time.Millisecond), wait > 0
}

// release forgets the holds and gaps of facts that were taken.
func (in *Intake) release(group []*arrival) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if len(in.held)+len(in.gaps) == 0 {
		return
	}
	for _, a := range group {
		delete(in.gaps, a.Aggregate)
		if h, ok := in.held[a.Aggregate]; ok && h.version <= a.Version {
			delete(in.held, a.Aggregate)
		}
	}
}

// giveUp makes e a dead letter, which parks its aggregate. Where the record has a hole before e, that is skipped.
func (in *Intake) giveUp(ctx context.Context, e Event, cause error, tries uint64) error {
	given := false
	err := in.Ledger.InTx(ctx, func(ctx context.Context, tx LedgerTx) error {
		given = false
		reached, err := tx.Reached(ctx, []string{e.Aggregate})
		if err != nil {
			return err
		}
		switch decide(reached[e.Aggregate].Version, e) {
		case repeat:
			return nil
		case missing:
			if !errors.Is(cause, errHole) {
				return errGap
			}
		}
		if _, err := tx.Note(ctx, []Event{e}, reached); err != nil {
			return err
		}
		given = true
		return in.bury(ctx, tx, e, cause, tries)
	})
	if err == nil && given {
		in.Log.ErrorContext(ctx, "fact became a dead letter", "consumer", in.Consumer, "type", e.Type,
			"aggregate", e.Aggregate, "version", e.Version, "error", cause)
		in.report(Finding{Reason: DeadLetter, Aggregate: e.Aggregate, Facts: 1})
	}
	return err
}

func (in *Intake) bury(ctx context.Context, tx LedgerTx, e Event, cause error, tries uint64) error {
	id, err := uuid.NewV7()
	if err != nil {
		return fmt.Errorf("make letter id: %w", err)
	}
	l := Letter{ID: id, Event: e, Attempts: int64(tries), BuriedAt: in.Clock.Now()}
	if cause != nil {
		l.Error, l.Rejected = cause.Error(), bus.Rejected(cause) || errors.Is(cause, errHole)
	}
	return tx.Bury(ctx, l)
}
