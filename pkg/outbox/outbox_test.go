package outbox_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"google.golang.org/protobuf/proto"

	"github.com/naksha-cloud/naksha/pkg/bus"
	"github.com/naksha-cloud/naksha/pkg/clock"
	"github.com/naksha-cloud/naksha/pkg/local"
	"github.com/naksha-cloud/naksha/pkg/local/localtest"
	"github.com/naksha-cloud/naksha/pkg/outbox"
	"github.com/naksha-cloud/naksha/pkg/pg"
	"github.com/naksha-cloud/naksha/pkg/pg/pgtest"
	backupv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/backup/v1"
	tenantv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/tenant/v1"
)

func TestMain(m *testing.M) {
	if relayChild() {
		return
	}
	os.Exit(localtest.Run(m))
}

const ref = "abcdefghijklmnopqrst"

// record is one service's outbox on a database of its own.
type record struct {
	*outbox.Outbox
	pool      *pg.Pool
	url       string
	snapshots outbox.Snapshots
}

func newRecord(t *testing.T, service string) *record {
	t.Helper()
	url := localtest.Database(t)
	r := &record{Outbox: outbox.New(service), pool: pgtest.Open(t, url, nil), url: url}
	if err := outbox.Migrate(t.Context(), r.pool); err != nil {
		t.Fatal(err)
	}
	return r
}

func (r *record) emit(t *testing.T, aggregate string, message proto.Message) {
	t.Helper()
	if err := r.tell(t.Context(), outbox.Fact{Aggregate: aggregate, Workspace: ref, Message: message}); err != nil {
		t.Fatal(err)
	}
}

// tell records facts in a transaction of their own.
func (r *record) tell(ctx context.Context, facts ...outbox.Fact) error {
	return r.pool.InTx(ctx, func(ctx context.Context, tx *pg.Tx) error { return r.Emit(ctx, tx, facts...) })
}

func (r *record) emitNamed(t *testing.T, aggregate string, names ...string) {
	t.Helper()
	for _, name := range names {
		r.emit(t, aggregate, &tenantv1.WorkspaceCreated{Workspace: aggregate, DisplayName: name})
	}
}

func (r *record) relay(t *testing.T, server *local.NATS) *outbox.Relay {
	t.Helper()
	b := connect(t, server, r.Service())
	relay := outbox.NewRelay(outbox.RelayConfig{
		Outbox: r.Outbox, Pool: r.pool, Bus: b, Log: slog.New(slog.NewTextHandler(t.Output(), nil)),
	})
	start(t, relay)
	return relay
}

func connect(t testing.TB, server *local.NATS, user string) *bus.Bus {
	t.Helper()
	b := bus.New(bus.Config{
		URL: server.URL(), User: user, Password: user, Log: slog.New(slog.NewTextHandler(t.Output(), nil)),
	})
	start(t, b)
	return b
}

func start(t testing.TB, c interface {
	Start(ctx context.Context) error
	Stop(ctx context.Context) error
},
) {
	t.Helper()
	if err := c.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Stop(context.Background()) })
}

// effects is what a consumer did, in order.
type effects struct {
	mu    sync.Mutex
	names []string
	moved chan struct{}
}

func newEffects() *effects { return &effects{moved: make(chan struct{}, 1)} }

func (e *effects) add(name string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.names = append(e.names, name)
	select {
	case e.moved <- struct{}{}:
	default:
	}
}

func (e *effects) wait(t *testing.T, n int) []string {
	t.Helper()
	deadline := time.After(localtest.Patience)
	for {
		e.mu.Lock()
		names := append([]string(nil), e.names...)
		e.mu.Unlock()
		if len(names) >= n {
			return names
		}
		select {
		case <-e.moved:
		case <-deadline:
			t.Fatalf("%d of %d effects: %v", len(names), n, names)
		}
	}
}

// owner serves a record as its service would.
type owner struct {
	*record
	page    int           // facts in one page
	fetches *atomic.Int32 // pages that were asked for; nil = not counted
}

func (o owner) Events(ctx context.Context, aggregate string, after int64) ([]outbox.Event, error) {
	if o.fetches != nil {
		o.fetches.Add(1)
	}
	return outbox.Recorded(ctx, o.pool, o.snapshots, aggregate, after, o.page)
}

func (o owner) Heads(ctx context.Context, since time.Time, page string) (outbox.HeadPage, error) {
	return outbox.Heads(ctx, o.pool, since, page, o.page)
}

// inbox starts an inbox of service backup for tenant's facts, with f as its reaction to WorkspaceCreated.
func inbox(t *testing.T, server *local.NATS, to *record, source outbox.Owner,
	f func(ctx context.Context, tx *pg.Tx, m *tenantv1.WorkspaceCreated) error,
) {
	t.Helper()
	start(t, outbox.NewInbox(outbox.InboxConfig{
		Service: "backup", Owner: "tenant", Pool: to.pool, Bus: connect(t, server, "backup"),
		Log: slog.New(slog.NewTextHandler(t.Output(), nil)), Source: source,
		Reactions: []outbox.Reaction{
			outbox.On(func(ctx context.Context, tx *pg.Tx, _ outbox.Meta, m *tenantv1.WorkspaceCreated) error {
				return f(ctx, tx, m)
			}),
		},
	}))
}

func TestVersionsAreDenseUnderConcurrentWriters(t *testing.T) {
	t.Parallel()
	r := newRecord(t, "tenant")
	stop := errors.New("stop")
	var writers sync.WaitGroup
	for w := range 16 {
		writers.Go(func() {
			for i := range 20 {
				err := r.pool.InTx(t.Context(), func(ctx context.Context, tx *pg.Tx) error {
					fact := outbox.Fact{Aggregate: "workspaces/" + ref, Workspace: ref, Message: &tenantv1.WorkspaceDeleted{}}
					if err := r.Emit(ctx, tx, fact); err != nil || (w+i)%4 != 0 {
						return err
					}
					return stop // every fourth is rolled back
				})
				if err != nil && !errors.Is(err, stop) {
					t.Error(err)
				}
			}
		})
	}
	writers.Wait()
	events, err := outbox.List(t.Context(), r.pool, "workspaces/"+ref, 0, 1000)
	if err != nil || len(events) != 16*15 {
		t.Fatalf("%d events, %v", len(events), err)
	}
	for i, e := range events {
		if e.Version != int64(i+1) || i > 0 && e.Seq < events[i-1].Seq {
			t.Fatalf("event %d has version %d, seq %d", i, e.Version, e.Seq)
		}
	}
}

func TestForeignFactIsRefused(t *testing.T) {
	t.Parallel()
	r := newRecord(t, "backup")
	for name, fact := range map[string]outbox.Fact{
		"of another service": {Aggregate: "x", Message: &tenantv1.WorkspaceDeleted{}},
		"without aggregate":  {Message: &tenantv1.WorkspaceDeleted{}},
		"that is too large":  {Aggregate: "x", Message: &backupv1.SnapshotFailed{Snapshot: strings.Repeat("x", bus.MaxMessage)}},
	} {
		err := r.pool.InTx(t.Context(), func(ctx context.Context, tx *pg.Tx) error { return r.Emit(ctx, tx, fact) })
		if err == nil {
			t.Errorf("emitted a fact %s", name)
		}
	}
}

func TestFactsTravelOnceInOrderAsCloudEvents(t *testing.T) {
	t.Parallel()
	server, from, to := localtest.NATS(t), newRecord(t, "tenant"), newRecord(t, "backup")
	outsider := feed(t, server)
	from.emitNamed(t, "workspaces/a", "a1", "a2") // before the relay runs: kept by the record
	from.relay(t, server)
	seen := newEffects()
	inbox(t, server, to, nil, func(_ context.Context, tx *pg.Tx, m *tenantv1.WorkspaceCreated) error {
		tx.AfterCommit(func() { seen.add(m.GetDisplayName()) })
		return nil
	})
	from.emitNamed(t, "workspaces/a", "a3", "a4")
	if got := fmt.Sprint(seen.wait(t, 4)); got != "[a1 a2 a3 a4]" {
		t.Fatalf("effects %s", got)
	}
	msg := <-outsider
	for header, want := range map[string]string{
		"ce-specversion": "1.0", "ce-type": "naksha.tenant.v1.WorkspaceCreated", "ce-source": "/naksha/tenant",
		"ce-aggregate": "workspaces/a", "ce-aggregateversion": "1", "ce-workspace": ref,
		"Content-Type": "application/protobuf",
	} {
		if got := msg.Header.Get(header); got != want {
			t.Errorf("header %s is %q, not %q", header, got, want)
		}
	}
	if want := "naksha.feed.tenant.v1.workspace_created." + ref; msg.Subject != want {
		t.Errorf("subject is %s, not %s", msg.Subject, want)
	}
}

func feed(t *testing.T, server *local.NATS) chan *nats.Msg {
	t.Helper()
	conn, err := nats.Connect(server.URL(), nats.UserInfo("subscriber", "subscriber"), nats.CustomInboxPrefix("_INBOX_subscriber"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	messages := make(chan *nats.Msg, 100)
	if _, err := conn.ChanSubscribe("naksha.feed.>", messages); err != nil {
		t.Fatal(err)
	}
	if err := conn.Flush(); err != nil {
		t.Fatal(err)
	}
	return messages
}

func TestRelayTakesOverWhenTheActiveOneStops(t *testing.T) {
	t.Parallel()
	server, from, to := localtest.NATS(t), newRecord(t, "tenant"), newRecord(t, "backup")
	first := from.relay(t, server)
	second := &record{Outbox: outbox.New("tenant"), pool: pgtest.Open(t, from.url, nil)}
	second.relay(t, server)
	seen := newEffects()
	inbox(t, server, to, nil, func(_ context.Context, tx *pg.Tx, m *tenantv1.WorkspaceCreated) error {
		tx.AfterCommit(func() { seen.add(m.GetDisplayName()) })
		return nil
	})
	from.emitNamed(t, "workspaces/a", "a1")
	seen.wait(t, 1)
	if err := first.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	from.emitNamed(t, "workspaces/a", "a2")
	if got := fmt.Sprint(seen.wait(t, 2)); got != "[a1 a2]" {
		t.Fatalf("effects %s", got)
	}
}

func TestGapIsRepairedFromTheRecordInOrder(t *testing.T) {
	t.Parallel()
	server, from, to := localtest.NATS(t), newRecord(t, "tenant"), newRecord(t, "backup")
	from.emitNamed(t, "workspaces/a", "a1", "a2", "a3")
	// The bus loses the first two: they count as published and never were.
	if _, err := from.pool.Exec(t.Context(), "DELETE FROM outbox_pending WHERE seq < 3"); err != nil {
		t.Fatal(err)
	}
	from.relay(t, server)
	seen := newEffects()
	inbox(t, server, to, owner{record: from, page: 100}, func(_ context.Context, tx *pg.Tx, m *tenantv1.WorkspaceCreated) error {
		tx.AfterCommit(func() { seen.add(m.GetDisplayName()) })
		return nil
	})
	if got := fmt.Sprint(seen.wait(t, 3)); got != "[a1 a2 a3]" {
		t.Fatalf("effects %s", got)
	}
}

func TestLongGapIsRepairedPageByPage(t *testing.T) {
	t.Parallel()
	from, _ := oldRecord(t) // whose clock stands still: comparing heads fetches nothing
	server, to := localtest.NATS(t), newRecord(t, "backup")
	from.emitNamed(t, "workspaces/a", "a1", "a2", "a3", "a4", "a5", "a6")
	if _, err := from.pool.Exec(t.Context(), "DELETE FROM outbox_pending WHERE seq <> 5"); err != nil {
		t.Fatal(err)
	}
	from.relay(t, server)
	seen, fetches := newEffects(), new(atomic.Int32)
	inbox(t, server, to, owner{record: from, page: 3, fetches: fetches}, func(_ context.Context, tx *pg.Tx, m *tenantv1.WorkspaceCreated) error {
		tx.AfterCommit(func() { seen.add(m.GetDisplayName()) })
		return nil
	})
	if got := fmt.Sprint(seen.wait(t, 5)); got != "[a1 a2 a3 a4 a5]" || fetches.Load() != 2 {
		t.Fatalf("effects %s after %d fetches", got, fetches.Load())
	}
}

func TestFailedReactionIsTriedAgainAndHasOneEffect(t *testing.T) {
	t.Parallel()
	server, from, to := localtest.NATS(t), newRecord(t, "tenant"), newRecord(t, "backup")
	from.relay(t, server)
	seen, tries := newEffects(), 0
	inbox(t, server, to, nil, func(_ context.Context, tx *pg.Tx, m *tenantv1.WorkspaceCreated) error {
		tx.AfterCommit(func() { seen.add(m.GetDisplayName()) })
		if tries++; tries < 3 {
			return bus.Retry(time.Millisecond, errors.New("not yet"))
		}
		return nil
	})
	from.emitNamed(t, "workspaces/a", "a1")
	if got := fmt.Sprint(seen.wait(t, 1)); got != "[a1]" || tries != 3 {
		t.Fatalf("effects %s after %d tries", got, tries)
	}
}

func TestRejectedFactParksItsAggregateAndNoOther(t *testing.T) {
	t.Parallel()
	server, from, to := localtest.NATS(t), newRecord(t, "tenant"), newRecord(t, "backup")
	from.relay(t, server)
	seen := newEffects()
	inbox(t, server, to, nil, func(_ context.Context, tx *pg.Tx, m *tenantv1.WorkspaceCreated) error {
		if m.GetDisplayName() == "bad" {
			return bus.Reject(errors.New("cannot be handled"))
		}
		tx.AfterCommit(func() { seen.add(m.GetDisplayName()) })
		return nil
	})
	from.emitNamed(t, "workspaces/a", "a1", "bad", "a3")
	from.emitNamed(t, "workspaces/b", "b1")
	names := seen.wait(t, 2)
	slices.Sort(names) // aggregates have no order between them
	if got := fmt.Sprint(names); got != "[a1 b1]" {
		t.Fatalf("effects %s", got)
	}
	await(t, "the bad fact and what follows it are dead letters", func() bool {
		var letters string
		err := to.pool.QueryRow(t.Context(),
			"SELECT coalesce(string_agg(version || ':' || error, ', ' ORDER BY version), '') FROM dead_letter").Scan(&letters)
		return err == nil && letters == "2:cannot be handled, 3:"
	})
}

func TestRepeatedMessageHasNoSecondEffect(t *testing.T) {
	t.Parallel()
	server, from, to := localtest.NATS(t), newRecord(t, "tenant"), newRecord(t, "backup")
	relay := from.relay(t, server)
	seen := newEffects()
	inbox(t, server, to, nil, func(_ context.Context, tx *pg.Tx, m *tenantv1.WorkspaceCreated) error {
		tx.AfterCommit(func() { seen.add(m.GetDisplayName()) })
		return nil
	})
	from.emitNamed(t, "workspaces/a", "a1")
	seen.wait(t, 1)
	// Published again under another message id, as after the server's window of duplicates.
	err := connect(t, server, "tenant").Publish(t.Context(), repeat(t, from))
	if err != nil {
		t.Fatal(err)
	}
	relay.Poke()
	from.emitNamed(t, "workspaces/a", "a2")
	if got := fmt.Sprint(seen.wait(t, 2)); got != "[a1 a2]" {
		t.Fatalf("effects %s", got)
	}
}

// repeat is the message of the first recorded fact, under another message id.
func repeat(t *testing.T, r *record) bus.Message {
	t.Helper()
	events, err := outbox.List(t.Context(), r.pool, "workspaces/a", 0, 1)
	if err != nil || len(events) != 1 {
		t.Fatal(err)
	}
	e := events[0]
	return bus.Message{
		ID: "another", Subject: outbox.Subject(e.Type, e.Workspace), Payload: e.Payload,
		Headers: map[string]string{
			"ce-id": e.ID.String(), "ce-type": e.Type, "ce-time": e.At.Format(time.RFC3339Nano),
			"ce-aggregate": e.Aggregate, "ce-aggregateversion": "1",
		},
	}
}

func TestFactsHaveAPlaceForAsLongAsTheBusIsAway(t *testing.T) {
	t.Parallel()
	hands := clock.NewFake(time.Now())
	r := &record{Outbox: outbox.New("tenant"), pool: pgtest.Pool(t, hands)}
	if err := outbox.Migrate(t.Context(), r.pool); err != nil {
		t.Fatal(err)
	}
	away := bus.New(bus.Config{URL: "nats://127.0.0.1:1", User: "tenant", Password: "tenant"})
	start(t, away)
	start(t, outbox.NewRelay(outbox.RelayConfig{
		Outbox: r.Outbox, Pool: r.pool, Bus: away, Log: slog.New(slog.NewTextHandler(t.Output(), nil)),
	}))
	for range 6 {
		hands.Advance(7 * 24 * time.Hour)
		partition := r.pool.Now().AddDate(0, 0, 7)
		deadline := time.Now().Add(localtest.Patience)
		for made := false; !made; {
			err := r.pool.QueryRow(t.Context(), "SELECT EXISTS (SELECT FROM pg_class WHERE relkind = 'r' AND relispartition "+
				"AND relname = 'event_log_' || to_char(date_trunc('week', $1::timestamptz AT TIME ZONE 'UTC'), 'YYYYMMDD'))",
				partition).Scan(&made)
			if err != nil || time.Now().After(deadline) {
				t.Fatalf("no partition for %s: %v", partition, err)
			}
			<-time.After(20 * time.Millisecond)
		}
		r.emitNamed(t, "workspaces/a", "a")
	}
}
