package outbox

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// errHole says that the owner has neither the next fact nor a snapshot.
var errHole = errors.New("the owner's record has a hole here, and no snapshot: what was in it is lost")

// repair fetches what is missing before a from its owner, and takes it.
func (in *Intake) repair(ctx context.Context, a *arrival) error {
	taken, err := in.catchUp(ctx, a.Aggregate, a.Version-1)
	if taken > 0 {
		in.mended(ctx, Finding{Reason: Gap, Aggregate: a.Aggregate, Facts: taken})
	}
	if errors.Is(err, errHole) {
		return in.giveUp(ctx, a.Event, err, 1)
	}
	return err
}

func (in *Intake) mended(ctx context.Context, f Finding) {
	in.Log.WarnContext(ctx, "facts missing on the bus were fetched from the record",
		"consumer", in.Consumer, "reason", string(f.Reason), "aggregate", f.Aggregate, "facts", f.Facts)
	in.report(f)
}

// catchUp takes an aggregate's facts from its owner's record until a version is reached, a page at a time.
func (in *Intake) catchUp(ctx context.Context, aggregate string, upTo int64) (taken int, err error) {
	for before := int64(-1); ; {
		behind, err := in.Ledger.Behind(ctx, []Head{{Aggregate: aggregate, Version: upTo}})
		if err != nil || len(behind) == 0 {
			return taken, err
		}
		page, err := in.ask(ctx, aggregate, behind[0].Taken)
		if err != nil {
			return taken, err
		}
		page = until(page, upTo)
		if behind[0].Taken == before { // the page before brought nothing
			if len(page) == 0 {
				return taken, errHole
			}
			if err := in.giveUp(ctx, page[0], errHole, 1); err != nil {
				return taken, err
			}
		}
		before = behind[0].Taken
		n, err := in.takeRecorded(ctx, page)
		taken += n
		if err != nil {
			return taken, err
		}
	}
}

// ask fetches a page from the owner. One that does not answer is left alone for a moment: each of many gaps would wait
// for it, and hold up what misses nothing.
func (in *Intake) ask(ctx context.Context, aggregate string, after int64) ([]Event, error) {
	in.mu.Lock()
	err, rests := in.away, in.Clock.Now().Before(in.rests)
	in.mu.Unlock()
	if rests {
		return nil, err
	}
	page, err := in.Owner.Events(ctx, aggregate, after)
	if err != nil {
		err = fmt.Errorf("fetch facts of %s after %d: %w", aggregate, after, err)
		in.mu.Lock()
		in.away, in.rests = err, in.Clock.Now().Add(ownerRest)
		in.mu.Unlock()
	}
	return page, err
}

const ownerRest = time.Second

// until cuts what comes after a version, except for a snapshot.
func until(page []Event, upTo int64) []Event {
	for i, e := range page {
		if e.Version > upTo && !e.snapshot() {
			return page[:i]
		}
	}
	return page
}

// takeRecorded takes a page of the record, together or else one by one.
func (in *Intake) takeRecorded(ctx context.Context, page []Event) (taken int, err error) {
	group := make([]*arrival, len(page))
	for i, e := range page {
		group[i] = &arrival{Event: e}
	}
	if len(group) == 0 {
		return 0, nil
	}
	err = in.together(ctx, group)
	for _, a := range group {
		if err != nil || a.outcome == missing {
			if a.verdict = in.single(ctx, a, false); a.verdict != nil {
				break
			}
		}
		if a.outcome == next {
			taken++
			in.release([]*arrival{a})
		}
	}
	return taken, firstError(group)
}

// firstError is why a group was not taken to its end; a hole is for catchUp to see.
func firstError(group []*arrival) error {
	for _, a := range group {
		if a.verdict != nil && !errors.Is(a.verdict, errGap) {
			return a.verdict
		}
	}
	return nil
}
