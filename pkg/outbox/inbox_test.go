package outbox_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/naksha-cloud/naksha/pkg/bus"
	"github.com/naksha-cloud/naksha/pkg/clock"
	"github.com/naksha-cloud/naksha/pkg/fault"
	"github.com/naksha-cloud/naksha/pkg/local"
	"github.com/naksha-cloud/naksha/pkg/local/localtest"
	"github.com/naksha-cloud/naksha/pkg/outbox"
	"github.com/naksha-cloud/naksha/pkg/pg"
	"github.com/naksha-cloud/naksha/pkg/pg/pgtest"
	tenantv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/tenant/v1"
)

// findings are what an inbox reported, by reason.
type findings struct {
	mu    sync.Mutex
	facts map[outbox.Reason]int
}

func newFindings() *findings { return &findings{facts: map[outbox.Reason]int{}} }

func (f *findings) add(found outbox.Finding) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.facts[found.Reason] += found.Facts
}

func (f *findings) of(r outbox.Reason) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.facts[r]
}

// await polls until ok.
func await(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(localtest.Patience); !ok(); <-time.After(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("still not: %s", what)
		}
	}
}

// oldRecord is a record whose facts are a minute old when they are made, so that their heads are served.
func oldRecord(t *testing.T) (*record, *clock.Fake) {
	t.Helper()
	hands := clock.NewFake(time.Now().Add(-time.Minute))
	url := localtest.Database(t)
	r := &record{Outbox: outbox.New("tenant"), pool: pgtest.Open(t, url, hands), url: url}
	if err := outbox.Migrate(t.Context(), r.pool); err != nil {
		t.Fatal(err)
	}
	return r, hands
}

// follow starts an inbox of service backup that compares heads often.
func follow(t *testing.T, server *local.NATS, to *record, from outbox.Owner,
	f func(ctx context.Context, tx *pg.Tx, m *tenantv1.WorkspaceCreated) error,
) *findings {
	t.Helper()
	found := newFindings()
	start(t, outbox.NewInbox(outbox.InboxConfig{
		Service: "backup", Owner: "tenant", Pool: to.pool, Bus: connect(t, server, "backup"),
		Log: slog.New(slog.NewTextHandler(t.Output(), nil)), Source: from, Report: found.add, Compare: 50 * time.Millisecond,
		Reactions: []outbox.Reaction{outbox.On(func(ctx context.Context, tx *pg.Tx, _ outbox.Meta, m *tenantv1.WorkspaceCreated) error {
			return f(ctx, tx, m)
		})},
	}))
	return found
}

// named is seeing as a reaction.
func named(seen *effects) func(context.Context, *pg.Tx, outbox.Meta, *tenantv1.WorkspaceCreated) error {
	return func(ctx context.Context, tx *pg.Tx, _ outbox.Meta, m *tenantv1.WorkspaceCreated) error {
		return seeing(seen)(ctx, tx, m)
	}
}

// seeing is a reaction that does nothing but be seen.
func seeing(seen *effects) func(context.Context, *pg.Tx, *tenantv1.WorkspaceCreated) error {
	return func(_ context.Context, tx *pg.Tx, m *tenantv1.WorkspaceCreated) error {
		tx.AfterCommit(func() { seen.add(m.GetDisplayName()) })
		return nil
	}
}

func TestLostTailIsFetchedAfterComparingHeads(t *testing.T) {
	t.Parallel()
	from, hands := oldRecord(t)
	server, to, seen := localtest.NATS(t), newRecord(t, "backup"), newEffects()
	from.emitNamed(t, "workspaces/a", "a1", "a2", "a3")
	from.emitNamed(t, "workspaces/b", "b1")
	// The bus loses the end of a, and all of b.
	if _, err := from.pool.Exec(t.Context(), "DELETE FROM outbox_pending WHERE seq > 1"); err != nil {
		t.Fatal(err)
	}
	from.relay(t, server)
	found := follow(t, server, to, owner{record: from, page: 2}, seeing(seen))
	seen.wait(t, 1)
	if n := found.of(outbox.Unreached); n != 0 {
		t.Errorf("%d facts were fetched before they were old enough to be missed", n)
	}
	hands.Advance(15 * time.Second)
	names := slices.DeleteFunc(seen.wait(t, 4), func(name string) bool { return name == "b1" })
	if fmt.Sprint(names) != "[a1 a2 a3]" {
		t.Errorf("effects %v", names)
	}
	await(t, "three facts are reported", func() bool { return found.of(outbox.Unreached) == 3 })
}

func TestFactsThatWaitForTheRelayAreNotMissed(t *testing.T) {
	t.Parallel()
	from, hands := oldRecord(t)
	from.emitNamed(t, "workspaces/a", "a1")
	hands.Advance(time.Hour)
	page, err := outbox.Heads(t.Context(), from.pool, time.Time{}, "", 10)
	if err != nil || len(page.Heads) != 0 {
		t.Fatalf("heads %v, %v", page.Heads, err)
	}
	if _, err := from.pool.Exec(t.Context(), "DELETE FROM outbox_pending"); err != nil {
		t.Fatal(err)
	}
	page, err = outbox.Heads(t.Context(), from.pool, time.Time{}, "", 10)
	if err != nil || len(page.Heads) != 1 || !page.Until.Equal(from.pool.Now().Add(-10*time.Second)) {
		t.Fatalf("heads %v until %s, %v", page.Heads, page.Until, err)
	}
}

func TestHeadsComeInPagesThatLeaveNothingOut(t *testing.T) {
	t.Parallel()
	from, hands := oldRecord(t)
	for i := range 7 {
		from.emitNamed(t, fmt.Sprintf("workspaces/%d", i), "x", "y")
	}
	if _, err := from.pool.Exec(t.Context(), "DELETE FROM outbox_pending"); err != nil {
		t.Fatal(err)
	}
	hands.Advance(time.Minute)
	var names []string
	for token := ""; ; {
		page, err := outbox.Heads(t.Context(), from.pool, time.Time{}, token, 2)
		if err != nil {
			t.Fatal(err)
		}
		for _, h := range page.Heads {
			names = append(names, h.Aggregate)
		}
		if token = page.Next; token == "" {
			break
		}
	}
	slices.Sort(names)
	if len(slices.Compact(names)) != 7 {
		t.Errorf("heads of %v", names)
	}
	for _, token := range []string{"x", "!", "MSAyIGE", "OTk5OTk5OTk5OTk5OTk5OTk5IDIgYQ"} {
		if _, err := outbox.Heads(t.Context(), from.pool, time.Time{}, token, 2); err == nil && token != "MSAyIGE" ||
			err != nil && fault.ReasonOf(err) != "PAGE_TOKEN_INVALID" {
			t.Errorf("token %q: %v", token, err)
		}
	}
}

func TestAlteredMessageIsDroppedAndItsFactFetched(t *testing.T) {
	t.Parallel()
	from, _ := oldRecord(t) // whose clock stands still: comparing heads fetches nothing
	server, to, seen := localtest.NATS(t), newRecord(t, "backup"), newEffects()
	from.emitNamed(t, "workspaces/a", "a1")
	events, err := outbox.List(t.Context(), from.pool, "workspaces/a", 0, 1)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := from.pool.Exec(t.Context(), "DELETE FROM outbox_pending"); err != nil {
		t.Fatal(err)
	}
	altered := outbox.Envelope("tenant", events[0])
	if altered.Payload, err = proto.Marshal(&tenantv1.WorkspaceCreated{DisplayName: "another's"}); err != nil {
		t.Fatal(err)
	}
	b := connect(t, server, "tenant")
	if err := errors.Join(b.EnsureStream(t.Context(), "tenant"), b.Publish(t.Context(), altered)); err != nil {
		t.Fatal(err)
	}
	found := follow(t, server, to, owner{record: from, page: 100}, seeing(seen))
	await(t, "the alteration is seen", func() bool { return found.of(outbox.Altered) == 1 })
	from.relay(t, server)
	from.emitNamed(t, "workspaces/a", "a2")
	if got := fmt.Sprint(seen.wait(t, 2)); got != "[a1 a2]" || found.of(outbox.Gap) != 1 {
		t.Errorf("effects %s, %d facts fetched", got, found.of(outbox.Gap))
	}
}

func TestOneBadFactHoldsUpNothingButItsAggregate(t *testing.T) {
	t.Parallel()
	server, from, to, seen := localtest.NATS(t), newRecord(t, "tenant"), newRecord(t, "backup"), newEffects()
	from.emitNamed(t, "workspaces/a", "a1", "a2", "a3")
	for i := range 20 {
		from.emitNamed(t, fmt.Sprintf("workspaces/b%d", i), "b", "b")
	}
	from.relay(t, server)
	healed := make(chan struct{})
	found := follow(t, server, to, owner{record: from, page: 100}, func(ctx context.Context, tx *pg.Tx, m *tenantv1.WorkspaceCreated) error {
		select {
		case <-healed:
		default:
			if m.GetDisplayName() == "a2" {
				_, err := tx.Exec(ctx, "SELECT 1/0") // spoils the transaction of the whole group
				return err
			}
		}
		tx.AfterCommit(func() { seen.add(m.GetDisplayName()) })
		return nil
	})
	if names := seen.wait(t, 41); slices.Contains(names, "a3") {
		t.Errorf("a fact overtook the one before it: %v", names)
	}
	close(healed)
	names := slices.DeleteFunc(seen.wait(t, 43), func(name string) bool { return name == "b" })
	if fmt.Sprint(names) != "[a1 a2 a3]" || found.of(outbox.Gap) != 0 {
		t.Errorf("effects %v, %d facts fetched though none was lost", names, found.of(outbox.Gap))
	}
}

func TestTwoReplicasTakeEachFactOnceAndInOrder(t *testing.T) {
	t.Parallel()
	server, from, to := localtest.NATS(t), newRecord(t, "tenant"), newRecord(t, "backup")
	if _, err := to.pool.Exec(t.Context(), "CREATE TABLE effect (place serial, name text)"); err != nil {
		t.Fatal(err)
	}
	const aggregates, facts = 8, 40
	for i := range facts {
		for a := range aggregates {
			from.emitNamed(t, fmt.Sprintf("workspaces/%d", a), fmt.Sprintf("%d-%03d", a, i))
		}
	}
	note := func(ctx context.Context, tx *pg.Tx, m *tenantv1.WorkspaceCreated) error {
		_, err := tx.Exec(ctx, "INSERT INTO effect (name) VALUES ($1)", m.GetDisplayName())
		return err
	}
	found := []*findings{
		follow(t, server, to, owner{record: from, page: 100}, note), follow(t, server, to, owner{record: from, page: 100}, note),
	}
	from.relay(t, server)
	var n int
	await(t, "all effects", func() bool {
		err := to.pool.QueryRow(t.Context(), "SELECT count(*) FROM effect").Scan(&n)
		return err == nil && n >= aggregates*facts
	})
	var disorder int
	err := to.pool.QueryRow(t.Context(), `SELECT count(*) FILTER (WHERE name <= before), count(*) FROM (
		SELECT name, lag(name) OVER (PARTITION BY left(name, 2) ORDER BY place) AS before FROM effect) AS e`).Scan(&disorder, &n)
	if err != nil || disorder != 0 || n != aggregates*facts {
		t.Errorf("%d effects, %d out of order, %v", n, disorder, err)
	}
	t.Logf("%d facts of the other replica were taken for missing", found[0].of(outbox.Gap)+found[1].of(outbox.Gap))
}

func TestSnapshotStandsForFactsThatAreGone(t *testing.T) {
	t.Parallel()
	server, from, to, seen := localtest.NATS(t), newRecord(t, "tenant"), newRecord(t, "backup"), newEffects()
	from.snapshots = outbox.Snapshots{"workspaces": func(_ context.Context, _ *pg.Tx, aggregate string) (proto.Message, string, error) {
		return &tenantv1.WorkspaceSnapshotted{Created: &tenantv1.WorkspaceCreated{DisplayName: "whole " + aggregate}}, ref, nil
	}}
	from.emitNamed(t, "workspaces/a", "a1", "a2", "a3")
	forget(t, from, "version < 3")
	from.relay(t, server)
	start(t, outbox.NewInbox(outbox.InboxConfig{
		Service: "backup", Owner: "tenant", Pool: to.pool, Bus: connect(t, server, "backup"),
		Log: slog.New(slog.NewTextHandler(t.Output(), nil)), Source: owner{record: from, page: 100},
		Reactions: []outbox.Reaction{
			outbox.On(func(_ context.Context, tx *pg.Tx, _ outbox.Meta, m *tenantv1.WorkspaceSnapshotted) error {
				tx.AfterCommit(func() { seen.add(m.GetCreated().GetDisplayName()) })
				return nil
			}),
			outbox.On(named(seen)),
		},
	}))
	seen.wait(t, 1)
	from.emitNamed(t, "workspaces/a", "a4")
	if got := fmt.Sprint(seen.wait(t, 2)); got != "[whole workspaces/a a4]" {
		t.Errorf("effects %s", got)
	}
}

// forget removes facts from the log and from the bus.
func forget(t *testing.T, r *record, where string) {
	t.Helper()
	for _, sql := range []string{
		"DELETE FROM outbox_pending WHERE seq IN (SELECT seq FROM event_log WHERE " + where + ")",
		"DELETE FROM event_log WHERE " + where,
	} {
		if _, err := r.pool.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
}

func TestHoleInTheRecordParksTheAggregate(t *testing.T) {
	t.Parallel()
	server, from, to, seen := localtest.NATS(t), newRecord(t, "tenant"), newRecord(t, "backup"), newEffects()
	from.emitNamed(t, "workspaces/a", "a1", "a2", "a3", "a4")
	from.emitNamed(t, "workspaces/b", "b1")
	forget(t, from, "aggregate = 'workspaces/a' AND version = 2")
	from.relay(t, server)
	found := follow(t, server, to, owner{record: from, page: 100}, seeing(seen))
	seen.wait(t, 2)
	await(t, "two dead letters", func() bool {
		letters, err := outbox.Letters(t.Context(), to.pool, "workspaces/a", [16]byte{}, 10)
		return err == nil && len(letters) == 2 && strings.Contains(letters[1].Error, "hole") && letters[0].Error == ""
	})
	names := seen.wait(t, 2)
	slices.Sort(names)
	if found.of(outbox.DeadLetter) != 1 || fmt.Sprint(names) != "[a1 b1]" {
		t.Errorf("effects %v, %d dead letters", names, found.of(outbox.DeadLetter))
	}
}

// directly is an Intake on the consumer's database that no bus feeds.
func directly(t *testing.T, to *record, f func(ctx context.Context, tx *pg.Tx, m *tenantv1.WorkspaceCreated) error) *outbox.Intake {
	t.Helper()
	return outbox.NewIntake(outbox.IntakeConfig{
		Consumer: "TENANT/backup", Ledger: outbox.NewLedger(to.pool, "TENANT/backup"), Clock: clock.System(),
		Log: slog.New(slog.NewTextHandler(t.Output(), nil)),
		Reactions: []outbox.Reaction{outbox.On(func(ctx context.Context, tx *pg.Tx, _ outbox.Meta, m *tenantv1.WorkspaceCreated) error {
			return f(ctx, tx, m)
		})},
	})
}

// messages are an aggregate's facts as the bus brings them.
func (r *record) messages(t *testing.T, aggregate string) (all []bus.Delivery) {
	t.Helper()
	events, err := outbox.List(t.Context(), r.pool, aggregate, 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range events {
		all = append(all, bus.Delivery{Attempt: 1, Message: outbox.Envelope(r.Service(), e)})
	}
	return all
}

func TestFactThatKeepsFailingBecomesADeadLetter(t *testing.T) {
	t.Parallel()
	from, to, seen := newRecord(t, "tenant"), newRecord(t, "backup"), newEffects()
	from.emitNamed(t, "workspaces/a", "a1", "a2")
	failing := true
	in := directly(t, to, func(ctx context.Context, tx *pg.Tx, m *tenantv1.WorkspaceCreated) error {
		if failing {
			panic("not today")
		}
		return seeing(seen)(ctx, tx, m)
	})
	batch, tries := from.messages(t, "workspaces/a"), 0
	for given := false; !given; tries++ {
		verdicts := in.Handle(t.Context(), batch)
		given = verdicts[0] == nil
	}
	letters, err := outbox.Letters(t.Context(), to.pool, "", [16]byte{}, 10)
	if err != nil || len(letters) != 2 || tries != 12 || letters[1].Rejected || !strings.Contains(letters[1].Error, "not today") {
		t.Fatalf("%d tries, %d letters: %+v, %v", tries, len(letters), letters, err)
	}
	failing = false
	if _, err := to.pool.Exec(t.Context(), "UPDATE dead_letter SET tried_at = tried_at - interval '1 hour'"); err != nil {
		t.Fatal(err)
	}
	if err := in.Revive(t.Context()); err != nil || fmt.Sprint(seen.wait(t, 2)) != "[a1 a2]" {
		t.Errorf("effects %v, %v", seen.wait(t, 2), err)
	}
}

func TestReplayTakesParkedFactsInOrder(t *testing.T) {
	t.Parallel()
	from, to, seen := newRecord(t, "tenant"), newRecord(t, "backup"), newEffects()
	from.emitNamed(t, "workspaces/a", "a1", "a2", "a3", "a4")
	failing := true
	in := directly(t, to, func(ctx context.Context, tx *pg.Tx, m *tenantv1.WorkspaceCreated) error {
		if failing && m.GetDisplayName() == "a2" {
			return bus.Reject(errors.New("cannot be handled"))
		}
		return seeing(seen)(ctx, tx, m)
	})
	batch := from.messages(t, "workspaces/a")
	in.Handle(t.Context(), batch[:3])
	done, err := in.Replay(t.Context(), "workspaces/a")
	if err != nil || done.Count != 0 || done.Failed == nil || done.Failed.Version != 2 || done.Failed.Attempts != 2 {
		t.Fatalf("replay that fails: %+v, %v", done, err)
	}
	failing = false
	done, err = in.Replay(t.Context(), "workspaces/a")
	if err != nil || done.Count != 2 || done.Failed != nil {
		t.Fatalf("replay: %+v, %v", done, err)
	}
	in.Handle(t.Context(), batch)
	if got := fmt.Sprint(seen.wait(t, 4)); got != "[a1 a2 a3 a4]" {
		t.Errorf("effects %s", got)
	}
}

func TestOldInboxRowsAreForgottenAndNothingIsTakenTwice(t *testing.T) {
	t.Parallel()
	from, to, seen := newRecord(t, "tenant"), newRecord(t, "backup"), newEffects()
	from.emitNamed(t, "workspaces/a", "a1", "a2")
	in := directly(t, to, seeing(seen))
	in.Handle(t.Context(), from.messages(t, "workspaces/a"))
	if err := in.Ledger.Prune(t.Context(), time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	in.Handle(t.Context(), from.messages(t, "workspaces/a"))
	var rows int
	err := to.pool.QueryRow(t.Context(), "SELECT count(*) FROM inbox").Scan(&rows)
	if got := fmt.Sprint(seen.wait(t, 2)); got != "[a1 a2]" || rows != 0 || err != nil {
		t.Errorf("effects %s, %d inbox rows, %v", got, rows, err)
	}
}
