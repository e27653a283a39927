package outbox

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.opentelemetry.io/otel/trace"

	"github.com/naksha-cloud/naksha/pkg/bus"
)

// arrival is a fact on its way in, and what becomes of it.
type arrival struct {
	Event
	outcome outcome
	verdict error
}

// outcome is what the ledger says about a fact.
type outcome string

const (
	next    outcome = "next"    // the version after the one that was reached, or a snapshot ahead of it
	repeat  outcome = "repeat"  // was taken before
	missing outcome = "missing" // one before it has not been taken
)

// decide says what becomes of e in an aggregate that was taken as far as version.
func decide(version int64, e Event) outcome {
	switch {
	case e.Version <= version:
		return repeat
	case e.Version == version+1, e.snapshot():
		return next
	}
	return missing
}

// snapshotted ends the type of a fact that holds the whole resource instead of a change.
const snapshotted = "Snapshotted"

func (e Event) snapshot() bool { return strings.HasSuffix(e.Type, snapshotted) }

// together takes a group in one transaction: all of it that is next, or on an error nothing.
func (in *Intake) together(ctx context.Context, group []*arrival) error {
	ctx, cancel := context.WithTimeout(ctx, bus.HandleTime)
	defer cancel()
	err := in.Ledger.InTx(ctx, func(ctx context.Context, tx LedgerTx) error {
		reached, err := tx.Reached(ctx, aggregates(group))
		if err != nil {
			return err
		}
		fresh := sortOut(group, reached)
		if len(fresh) == 0 {
			return nil
		}
		repeats, err := tx.Note(ctx, fresh, reached)
		if err != nil {
			return err
		}
		for _, e := range fresh {
			if err := in.effect(ctx, tx, e, reached[e.Aggregate].Parked, repeats[e.ID]); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil || errors.As(err, &failure{}) {
		return err
	}
	return broken{err}
}

// sortOut sets each arrival's outcome and returns those that are next, in order.
func sortOut(group []*arrival, reached map[string]Progress) (fresh []Event) {
	versions := map[string]int64{}
	for aggregate, p := range reached {
		versions[aggregate] = p.Version
	}
	for _, a := range group {
		a.outcome = decide(versions[a.Aggregate], a.Event)
		if a.outcome == next {
			versions[a.Aggregate] = a.Version
			fresh = append(fresh, a.Event)
		}
	}
	return fresh
}

func aggregates(group []*arrival) []string {
	names := make([]string, len(group))
	for i, a := range group {
		names[i] = a.Aggregate
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func (in *Intake) effect(ctx context.Context, tx LedgerTx, e Event, parked, repeated bool) error {
	switch {
	case repeated:
		return nil
	case parked:
		return in.bury(ctx, tx, e, nil, 0)
	}
	return in.react(ctx, tx, e)
}

// react runs the reaction to e, if there is one, as part of the trace of the request that caused e.
func (in *Intake) react(ctx context.Context, tx LedgerTx, e Event) error {
	reaction, ok := in.reactions[e.Type]
	if !ok && e.snapshot() {
		return failure{bus.Reject(fmt.Errorf("facts up to version %d are gone, and this service has no reaction to %s", e.Version, e.Type))}
	}
	if !ok {
		return nil
	}
	ctx, end := traced(ctx, in.Tracer, "process", trace.SpanKindConsumer, e)
	meta := Meta{ID: e.ID, Aggregate: e.Aggregate, Version: e.Version, Workspace: e.Workspace, Time: e.At}
	err := bus.Safely(func() error { return reaction.handle(ctx, tx.Postgres(), meta, e.Payload) })
	end(err)
	if err != nil {
		return failure{err}
	}
	return nil
}

// single takes one fact. repairing: what is missing before it may be fetched from the owner.
func (in *Intake) single(ctx context.Context, a *arrival, repairing bool) error {
	if wait, waiting := in.waiting(a.Aggregate, a.Version); waiting {
		return bus.Retry(wait, errFirst)
	}
	err := in.together(ctx, []*arrival{a})
	if err == nil && a.outcome == missing && repairing && in.Owner != nil {
		if wait, young := in.young(a.Aggregate); young {
			return bus.Retry(wait, errGap)
		}
		if err := in.repair(ctx, a); err != nil {
			return err
		}
		err = in.together(ctx, []*arrival{a})
	}
	switch {
	case err != nil:
		return in.failed(ctx, a, err, repairing)
	case a.outcome == missing:
		return errGap
	}
	in.release([]*arrival{a})
	return nil
}

// postpone holds a fact back for an error that is not its own.
func (in *Intake) postpone(ctx context.Context, a *arrival, err error) error {
	if wait, waiting := in.waiting(a.Aggregate, a.Version); waiting {
		return bus.Retry(wait, errFirst)
	}
	return in.failed(ctx, a, err, true)
}

var (
	errGap   = errors.New("an earlier fact of the aggregate is missing")
	errFirst = errors.New("an earlier fact of the aggregate is tried again first")
)
