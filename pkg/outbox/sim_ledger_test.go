package outbox_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/naksha-cloud/naksha/pkg/outbox"
	"github.com/naksha-cloud/naksha/pkg/pg"
	"github.com/naksha-cloud/naksha/pkg/sim"
)

// simInbox is the database of a service that takes facts in: what outbox.Ledger keeps, and the effects of its reactions.
type simInbox struct {
	w       *sim.World
	owner   *simOwner
	heads   map[string]int64
	changed map[string]int // counts the transactions that touched an aggregate
	ids     map[uuid.UUID]bool
	letters map[string][]outbox.Letter // by aggregate and version
	until   time.Time
	effects map[string][]int64 // versions that had their effect, in order
	poison  map[uuid.UUID]bool // facts that are rejected as long as nobody repairs the reaction
	storm   bool               // reactions fail now and then
	current *simTake           // whose reactions run
	reached *reached
}

func newSimInbox(w *sim.World, o *simOwner, r *reached) *simInbox {
	return &simInbox{
		w: w, reached: r, owner: o, heads: map[string]int64{}, changed: map[string]int{}, ids: map[uuid.UUID]bool{},
		letters: map[string][]outbox.Letter{}, effects: map[string][]int64{}, poison: map[uuid.UUID]bool{}, storm: true,
	}
}

// simTake is one transaction: what it read, and what it will change.
type simTake struct {
	*simInbox
	seen    map[string]int
	heads   map[string]int64
	ids     map[uuid.UUID]bool
	buried  []outbox.Letter
	unbury  []uuid.UUID
	effects []simEffect
	flawed  flaws
}

// simEffect is what a reaction did.
type simEffect struct {
	outbox.Meta
	snapshot bool // it replaced the whole resource
}

// flaws are what a variant, broken on purpose, gets wrong.
type flaws struct {
	forgetsHeads  bool // what was taken is not noted
	forgetsParked bool // dead letters hold up nothing
	leaksEffects  bool // effects survive a rollback
}

var errSimConflict = errors.New("could not serialize")

func (t *simTake) Reached(_ context.Context, aggregates []string) (map[string]outbox.Progress, error) {
	reached := map[string]outbox.Progress{}
	for _, a := range aggregates {
		t.seen[a] = t.changed[a]
		if head := t.simInbox.heads[a]; head > 0 {
			reached[a] = outbox.Progress{Version: head, Parked: len(t.letters[a]) > 0 && !t.flawed.forgetsParked}
		}
	}
	return reached, nil
}

func (t *simTake) Note(_ context.Context, facts []outbox.Event, _ map[string]outbox.Progress) (map[uuid.UUID]bool, error) {
	repeats := map[uuid.UUID]bool{}
	for _, e := range facts {
		if t.simInbox.ids[e.ID] || t.ids[e.ID] {
			repeats[e.ID] = true
		}
		if !t.flawed.forgetsHeads {
			t.heads[e.Aggregate], t.ids[e.ID] = e.Version, true
		}
	}
	return repeats, nil
}

func (t *simTake) Bury(_ context.Context, l outbox.Letter) error {
	t.buried = append(t.buried, l)
	return nil
}

func (t *simTake) FirstLetter(_ context.Context, aggregate string) (outbox.Letter, bool, error) {
	if letters := t.letters[aggregate]; len(letters) > 0 {
		return letters[0], true, nil
	}
	return outbox.Letter{}, false, nil
}

func (t *simTake) Unbury(_ context.Context, letter uuid.UUID) error {
	t.unbury = append(t.unbury, letter)
	return nil
}

func (t *simTake) Postgres() *pg.Tx { return &pg.Tx{Now: t.w.Now()} }

// commit makes a transaction's changes those of the database, unless another one touched the same aggregates meanwhile:
// their rows would have been locked.
func (t *simTake) commit() error {
	for a, changed := range t.seen {
		if t.changed[a] != changed {
			t.reached.conflicts.Add(1)
			return errSimConflict
		}
	}
	for a := range t.seen {
		t.changed[a]++
	}
	for _, l := range t.buried {
		t.letters[l.Aggregate] = append(t.letters[l.Aggregate], l)
		slices.SortFunc(t.letters[l.Aggregate], func(a, b outbox.Letter) int { return int(a.Version - b.Version) })
	}
	for a, letters := range t.letters {
		t.letters[a] = slices.DeleteFunc(letters, func(l outbox.Letter) bool { return slices.Contains(t.unbury, l.ID) })
	}
	maps.Copy(t.simInbox.heads, t.heads)
	maps.Copy(t.simInbox.ids, t.ids)
	if !t.flawed.leaksEffects {
		t.happen()
	}
	return nil
}

// happen lets the effects be there: each once, in the order of its aggregate, with nothing left out.
func (t *simTake) happen() {
	for _, m := range t.effects {
		done := t.simInbox.effects[m.Aggregate]
		if due := t.due(m.Aggregate); m.Version != due && !t.stands(m) {
			t.w.Fail("version %d of %s has its effect, due is %d after %v", m.Version, m.Aggregate, due, done)
		}
		t.simInbox.effects[m.Aggregate] = append(done, m.Version)
		if m.snapshot {
			t.reached.snapshots.Add(1)
		}
	}
	t.effects = nil
}

// due is the version that has its effect next: the first behind the last one that somebody reacts to.
func (in *simInbox) due(aggregate string) int64 {
	next := in.last(aggregate) + 1
	if next%4 == 0 {
		next++
	}
	return next
}

// last is the version that had its effect last.
func (in *simInbox) last(aggregate string) int64 {
	if done := in.effects[aggregate]; len(done) > 0 {
		return done[len(done)-1]
	}
	return 0
}

// stands says that an effect is that of a snapshot, which stands for all facts up to its version. It was made because the
// log did not have the next one; another replica may have taken that from the bus meanwhile.
func (in *simInbox) stands(m simEffect) bool {
	return m.snapshot && m.Version > in.last(m.Aggregate) && in.owner.gone[m.Aggregate] > 0
}

// simLedger is the database as one process sees it: outbox.Ledger.
type simLedger struct {
	*simInbox
	p      *sim.Process
	flawed flaws
}

func (l simLedger) InTx(ctx context.Context, f func(ctx context.Context, tx outbox.LedgerTx) error) error {
	for try := 1; ; try++ {
		take, err := sim.Ask(ctx, l.p, laneCall(ctx, "work"), func() (*simTake, error) {
			t := &simTake{
				simInbox: l.simInbox, seen: map[string]int{}, heads: map[string]int64{}, ids: map[uuid.UUID]bool{}, flawed: l.flawed,
			}
			l.current = t
			err := f(ctx, t)
			if l.flawed.leaksEffects {
				t.happen()
			}
			return t, err
		}, sim.Prompt)
		if err != nil {
			return err
		}
		err = sim.Tell(ctx, l.p, laneCall(ctx, "commit"), take.commit)
		if !errors.Is(err, errSimConflict) || try == 5 {
			return err
		}
	}
}

// laneCall tells the calls of a process's lanes apart.
func laneCall(ctx context.Context, call string) string {
	return fmt.Sprint(call, " ", ctx.Value(laneKey{}))
}

func (l simLedger) Behind(ctx context.Context, heads []outbox.Head) ([]outbox.Behind, error) {
	return sim.Ask(ctx, l.p, laneCall(ctx, "behind"), func() (behind []outbox.Behind, _ error) {
		for _, h := range heads {
			if taken := l.heads[h.Aggregate]; taken < h.Version {
				behind = append(behind, outbox.Behind{Aggregate: h.Aggregate, Taken: taken, Recorded: h.Version})
			}
		}
		return behind, nil
	})
}

func (l simLedger) Compared(ctx context.Context) (time.Time, error) {
	return sim.Ask(ctx, l.p, laneCall(ctx, "compared"), func() (time.Time, error) { return l.until, nil })
}

func (l simLedger) SetCompared(ctx context.Context, until time.Time) error {
	return sim.Tell(ctx, l.p, laneCall(ctx, "set compared"), func() error { l.until = until; return nil })
}

func (l simLedger) Blame(ctx context.Context, _ uuid.UUID, _ error) error {
	return sim.Tell(ctx, l.p, laneCall(ctx, "blame"), func() error { return nil })
}

func (l simLedger) Waiting(context.Context, time.Time) ([]string, error) { return nil, nil }

func (l simLedger) Prune(context.Context, time.Time) error { return nil }
