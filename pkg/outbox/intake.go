package outbox

import (
	"cmp"
	"context"
	"errors"
	"hash/crc32"
	"log/slog"
	"slices"
	"sync"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/naksha-cloud/naksha/pkg/bus"
	"github.com/naksha-cloud/naksha/pkg/clock"
)

const (
	groupSize = 100 // facts in one transaction, at most
	lanes     = 4   // transactions at the same time; facts of one aggregate are in one lane
	maxTries  = 12  // of one fact, about two minutes; then it is a dead letter and no longer in the way
)

// Intake decides what becomes of each fact that arrives: it is taken once, in the order of its aggregate, or it waits,
// or it is a dead letter. It touches the world through Ledger, Owner and Stream only.
type Intake struct {
	IntakeConfig
	reactions map[string]Reaction

	mu      sync.Mutex
	held    map[string]hold      // by aggregate
	gaps    map[string]time.Time // by aggregate: when a fact was first missing
	widened time.Time            // when heads were last compared with the wide overlap
	away    error                // what the owner said last when it did not answer,
	rests   time.Time            // and until when it is left alone
}

// IntakeConfig names an Intake's parts.
type IntakeConfig struct {
	Consumer  string // for logs
	Ledger    Ledger
	Owner     Owner  // nil = a gap waits for the bus
	Stream    Stream // needed by Reconcile alone
	Reactions []Reaction
	Clock     clock.Clock
	Log       *slog.Logger
	Tracer    trace.Tracer  // nil = none
	Patience  time.Duration // how long a missing fact may be in another replica's hands; then the owner is asked
	Report    func(Finding) // told of what was found and mended; must not block; nil = nobody
}

// NewIntake returns an Intake that has taken nothing yet.
func NewIntake(c IntakeConfig) *Intake {
	c.Tracer = tracerOr(c.Tracer)
	in := &Intake{IntakeConfig: c, reactions: map[string]Reaction{}, held: map[string]hold{}, gaps: map[string]time.Time{}}
	for _, r := range c.Reactions {
		in.reactions[r.Type] = r
	}
	return in
}

// Finding is something that should not be, and was dealt with.
type Finding struct {
	Reason    Reason
	Aggregate string // empty = of no single one
	Facts     int    // how many were concerned
}

// Reason says what was found.
type Reason string

// What is found.
const (
	Gap        Reason = "gap"         // a later version arrived first; the missing facts were fetched from their owner
	Unreached  Reason = "unreached"   // the owner's head was never reached; the missing facts were fetched
	Altered    Reason = "altered"     // a message was not what its owner recorded; it was dropped
	DeadLetter Reason = "dead_letter" // a fact was given up, and parks its aggregate
)

// Handle takes deliveries in and returns a verdict for each.
func (in *Intake) Handle(ctx context.Context, batch []bus.Delivery) []error {
	verdicts := make([]error, len(batch))
	var parted [lanes][]*arrival
	arrivals := make([]*arrival, len(batch))
	for i, d := range batch {
		e, err := parse(d)
		if err != nil {
			in.altered(ctx, d, err)
			continue
		}
		arrivals[i] = &arrival{Event: e}
		lane := crc32.ChecksumIEEE([]byte(e.Aggregate)) % lanes // the same everywhere: a simulation repeats
		parted[lane] = append(parted[lane], arrivals[i])
	}
	in.takeLanes(ctx, parted[:])
	for i, a := range arrivals {
		if a != nil {
			verdicts[i] = a.verdict
		}
	}
	return verdicts
}

// altered reports a message that is not what an owner recorded. Nothing in it can be believed, so it is dropped: the fact
// that it was is missed by its aggregate's next one, or by comparing heads.
func (in *Intake) altered(ctx context.Context, d bus.Delivery, err error) {
	in.Log.ErrorContext(ctx, "altered message dropped: the record has the fact",
		"consumer", in.Consumer, "subject", d.Subject, "sequence", d.Sequence, "error", err)
	in.report(Finding{Reason: Altered, Facts: 1})
}

func (in *Intake) report(f Finding) {
	if in.Report != nil {
		in.Report(f)
	}
}

func (in *Intake) takeLanes(ctx context.Context, parted [][]*arrival) {
	var running sync.WaitGroup
	for _, lane := range parted[1:] {
		if len(lane) > 0 {
			running.Go(func() { in.takeLane(ctx, lane) })
		}
	}
	in.takeLane(ctx, parted[0])
	running.Wait()
}

// takeLane takes facts in groups. Those that need more than that are taken one by one: one bad fact holds up nothing but
// its aggregate. When the ledger fails, everything waits.
func (in *Intake) takeLane(ctx context.Context, lane []*arrival) {
	straighten(lane)
	for group := range slices.Chunk(lane, groupSize) {
		err := in.together(ctx, group)
		if err == nil && !slices.ContainsFunc(group, isMissing) {
			in.release(group)
			continue
		}
		for _, a := range group {
			switch {
			case err == nil && a.outcome != missing: // taken
			case errors.As(err, &broken{}):
				a.verdict = in.postpone(ctx, a, err)
			default:
				if a.verdict = in.single(ctx, a, true); errors.As(a.verdict, &broken{}) {
					err = a.verdict
				}
			}
		}
	}
}

// broken is an error of the ledger: it says nothing about the facts.
type broken struct{ error }

func (b broken) Unwrap() error { return b.error }

func isMissing(a *arrival) bool { return a.outcome == missing }

// straighten puts the facts of each aggregate into the order of their versions, in the places that they have.
func straighten(lane []*arrival) {
	places := map[string][]int{}
	for i, a := range lane {
		places[a.Aggregate] = append(places[a.Aggregate], i)
	}
	for _, at := range places {
		facts := make([]*arrival, len(at))
		for i, place := range at {
			facts[i] = lane[place]
		}
		slices.SortStableFunc(facts, func(a, b *arrival) int { return cmp.Compare(a.Version, b.Version) })
		for i, place := range at {
			lane[place] = facts[i]
		}
	}
}
