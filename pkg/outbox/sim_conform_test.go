package outbox_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/naksha-cloud/naksha/pkg/outbox"
	"github.com/naksha-cloud/naksha/pkg/sim"
)

// calmly runs what calls fake parts, in a world where nothing goes wrong.
func calmly(t *testing.T, run func(w *sim.World, p *sim.Process)) {
	t.Helper()
	o := sim.Run(t, 1, func(w *sim.World) {
		var done atomic.Bool
		w.Actor("test", func(p *sim.Process) {
			if !done.Load() {
				defer done.Store(true)
				run(w, p)
			}
		})
		w.Heal(func() error {
			if !done.Load() {
				return errors.New("the test runs")
			}
			return nil
		}, time.Minute)
	})
	if o.Broken != "" {
		t.Error(o.Broken)
	}
}

// TestTheFakeLedgerConforms holds the simulation's ledger to what Postgres does.
func TestTheFakeLedgerConforms(t *testing.T) {
	t.Parallel()
	conforms(t, outbox.NewLedger(newRecord(t, "backup").pool, "TENANT/backup"))
	calmly(t, func(w *sim.World, p *sim.Process) {
		conforms(t, simLedger{newSimInbox(w, newSimOwner(w), &reached{}), p, flaws{}})
	})
}

// conforms is what every Ledger must do.
func conforms(t *testing.T, l outbox.Ledger) {
	now, a := time.Now().UTC().Truncate(time.Microsecond), "workspaces/a"
	one, two, three := simFact(1, a, 1, now), simFact(2, a, 2, now), simFact(3, a, 3, now)
	again := one
	again.Version = 4
	stands := func(version int64, parked bool) {
		t.Helper()
		inTx(t, l, nil, func(ctx context.Context, tx outbox.LedgerTx) error {
			got, err := tx.Reached(ctx, []string{a, "workspaces/unknown"})
			if want := (outbox.Progress{Version: version, Parked: parked}); got[a] != want || len(got) > 1 {
				t.Errorf("reached %v, want %v", got, want)
			}
			return err
		})
	}
	note := func(repeats int, outcome error, facts ...outbox.Event) {
		t.Helper()
		inTx(t, l, outcome, func(ctx context.Context, tx outbox.LedgerTx) error {
			progress, err := tx.Reached(ctx, []string{a})
			if err != nil {
				return err
			}
			if found, err := tx.Note(ctx, facts, progress); err != nil || len(found) != repeats {
				t.Errorf("%d of %d facts are repeats: %v", len(found), len(facts), err)
			}
			return outcome
		})
	}
	stands(0, false)
	note(0, nil, one, two)
	stands(2, false)
	note(0, errors.New("no"), three)
	stands(2, false)
	note(0, nil, three)
	note(1, nil, again)
	stands(4, false)
	letters(t, l, three, two)
	stands(4, false)
	behind(t, l, now)
}

// letters buries facts in any order; they are found in the order of their versions, and park their aggregate.
func letters(t *testing.T, l outbox.Ledger, facts ...outbox.Event) {
	t.Helper()
	for _, e := range facts {
		inTx(t, l, nil, func(ctx context.Context, tx outbox.LedgerTx) error {
			if _, err := tx.Reached(ctx, []string{e.Aggregate}); err != nil {
				return err
			}
			return tx.Bury(ctx, outbox.Letter{ID: uuid.New(), Event: e, Error: "no", BuriedAt: e.At})
		})
	}
	for i := range facts {
		inTx(t, l, nil, func(ctx context.Context, tx outbox.LedgerTx) error {
			progress, err := tx.Reached(ctx, []string{facts[0].Aggregate})
			if err != nil || !progress[facts[0].Aggregate].Parked {
				t.Errorf("not parked: %v, %v", progress, err)
			}
			first, ok, err := tx.FirstLetter(ctx, facts[0].Aggregate)
			if want := facts[len(facts)-1-i]; err != nil || !ok || first.Event.ID != want.ID || first.Version != want.Version {
				t.Errorf("first letter %+v, %t, %v", first, ok, err)
			}
			return tx.Unbury(ctx, first.ID)
		})
	}
}

func behind(t *testing.T, l outbox.Ledger, now time.Time) {
	t.Helper()
	heads := []outbox.Head{{Aggregate: "workspaces/b", Version: 1}, {Aggregate: "workspaces/a", Version: 4}, {Aggregate: "workspaces/a", Version: 9}}
	got, err := l.Behind(t.Context(), heads)
	if err != nil || len(got) != 2 || got[0] != (outbox.Behind{Aggregate: "workspaces/b", Recorded: 1}) ||
		got[1] != (outbox.Behind{Aggregate: "workspaces/a", Taken: 4, Recorded: 9}) {
		t.Errorf("behind %v, %v", got, err)
	}
	if at, err := l.Compared(t.Context()); err != nil || !at.IsZero() {
		t.Errorf("compared before the first time: %s, %v", at, err)
	}
	if err := l.SetCompared(t.Context(), now); err != nil {
		t.Error(err)
	}
	if at, err := l.Compared(t.Context()); err != nil || !at.Equal(now) {
		t.Errorf("compared %s, %v", at, err)
	}
}

func inTx(t *testing.T, l outbox.Ledger, outcome error, f func(ctx context.Context, tx outbox.LedgerTx) error) {
	t.Helper()
	if err := l.InTx(t.Context(), f); !errors.Is(err, outcome) {
		t.Errorf("the transaction ends with %v, want %v", err, outcome)
	}
}

// relayParts are a pump's, but for the stream.
type relayParts interface {
	outbox.RelayLease
	outbox.RelayRecord
}

// TestTheFakeRecordConforms holds the simulation's lease and pending facts to what Postgres does.
func TestTheFakeRecordConforms(t *testing.T) {
	t.Parallel()
	r := newRecord(t, "tenant")
	r.emitNamed(t, "workspaces/a", "a1", "a2", "a3")
	relayConforms(t, outbox.NewRelayStore(r.pool), func(int64) {})
	calmly(t, func(w *sim.World, p *sim.Process) {
		o := newSimOwner(w)
		_ = sim.Tell(p.Context(), p, "write", func() error {
			write, err := o.begin([]string{"workspaces/a", "workspaces/a", "workspaces/a"}, w.Now())
			if err == nil {
				err = o.commit(write)
			}
			return err
		})
		relayConforms(t, simRelay{o, p}, func(seq int64) {
			_ = sim.Tell(p.Context(), p, "publish", func() error { o.published[seq] = true; return nil })
		})
	})
}

// relayConforms is what every lease and record must do, with three facts of one aggregate that wait.
func relayConforms(t *testing.T, r relayParts, publish func(seq int64)) {
	ctx, mine, other := t.Context(), uuid.New(), uuid.New()
	is := func(what string, ok bool, err error) {
		t.Helper()
		if !ok || err != nil {
			t.Errorf("not: %s (%v)", what, err)
		}
	}
	free, err := r.Look(ctx)
	is("nobody has it", free.Holder == uuid.Nil, err)
	taken, err := r.Take(ctx, free, mine)
	is("it is taken", taken, err)
	taken, err = r.Take(ctx, free, other)
	is("it is taken once", !taken, err)
	events, err := r.Pending(ctx, nil, 2)
	is("the oldest come first", len(events) == 2 && events[0].Version == 1 && events[1].Version == 2, err)
	rest, err := r.Pending(ctx, []int64{events[0].Seq, events[1].Seq}, 9)
	is("but for those in hand", len(rest) == 1 && rest[0].Version == 3, err)
	known, err := r.Knows(ctx, events[0].At, events[0].ID)
	is("what was recorded is known", known, err)
	known, err = r.Knows(ctx, events[0].At, other)
	is("what was not is unknown", !known, err)
	publish(events[0].Seq)
	held, err := r.Settle(ctx, other, []int64{events[0].Seq}, 7)
	is("a stranger settles nothing", !held, err)
	before, _ := r.Look(ctx)
	held, err = r.Settle(ctx, mine, []int64{events[0].Seq}, 7)
	is("the holder settles", held, err)
	after, err := r.Look(ctx)
	is("its beat is counted up", after.Holder == mine && after.Beat > before.Beat, err)
	last, err := r.Last(ctx)
	is("the stream's end is noted", last == 7, err)
	events, err = r.Pending(ctx, nil, 9)
	is("what is settled is forgotten", len(events) == 2 && events[0].Version == 2, err)
	_, held, err = r.Restore(ctx, other, time.Time{}, 3)
	is("a stranger restores nothing", !held, err)
	facts, held, err := r.Restore(ctx, mine, time.Time{}, 3)
	is("what was lost is pending again", held && facts == 1, err)
	last, err = r.Last(ctx)
	is("the stream's new end is noted", last == 3, err)
	is("a stranger gives nothing back", r.Give(ctx, other) == nil, nil)
	is("the holder gives it back", r.Give(ctx, mine) == nil, nil)
	free, err = r.Look(ctx)
	is("nobody has it in the end", free.Holder == uuid.Nil, err)
}
