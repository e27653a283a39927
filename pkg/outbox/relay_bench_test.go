package outbox_test

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/naksha-cloud/naksha/pkg/local"
	"github.com/naksha-cloud/naksha/pkg/local/localtest"
	"github.com/naksha-cloud/naksha/pkg/outbox"
	"github.com/naksha-cloud/naksha/pkg/pg"
	tenantv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/tenant/v1"
)

const (
	writers   = 64
	resources = 10_000 // aggregates that facts are about
)

// durable is tenant's record on a server as in production: what it acknowledges is on disk.
func durable(b *testing.B) *record {
	b.Helper()
	server, err := local.StartPostgres(b.Context(), local.PostgresConfig{
		Dir: filepath.Join(localtest.TempDir(b), "pg"), SuperuserPassword: "secret", InitCache: localtest.InitCache(),
	})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := server.Stop(context.Background()); err != nil {
			b.Error(err)
		}
	})
	r := &record{Outbox: outbox.New("tenant"), pool: pg.New(pg.Config{URL: server.SuperuserURL("postgres"), MaxConns: writers})}
	if err := r.pool.Start(b.Context()); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = r.pool.Stop(context.Background()) })
	if err := outbox.Migrate(b.Context(), r.pool); err != nil {
		b.Fatal(err)
	}
	return r
}

// BenchmarkBusinessTransaction compares a transaction that records a fact with the same one that only counts its
// aggregate's version up, 64 writers at a time, in turns.
func BenchmarkBusinessTransaction(b *testing.B) {
	r := durable(b)
	if _, err := r.pool.Exec(b.Context(), "CREATE TABLE business (id bigint PRIMARY KEY, name text NOT NULL)"); err != nil {
		b.Fatal(err)
	}
	var id atomic.Int64
	business := func(fact func(ctx context.Context, tx *pg.Tx, aggregate string) error) func() error {
		return func() error {
			return r.pool.InTx(b.Context(), func(ctx context.Context, tx *pg.Tx) error {
				n := id.Add(1)
				_, err := tx.Exec(ctx, "INSERT INTO business (id, name) VALUES ($1, $2)", n, "the business itself")
				if err != nil {
					return err
				}
				return fact(ctx, tx, "workspaces/"+strconv.FormatInt(n*7919%resources, 10))
			})
		}
	}
	with := business(func(ctx context.Context, tx *pg.Tx, aggregate string) error {
		return r.Emit(ctx, tx, outbox.Fact{Aggregate: aggregate, Workspace: ref, Message: created(aggregate)})
	})
	without := business(func(ctx context.Context, tx *pg.Tx, aggregate string) error {
		_, err := tx.Exec(ctx, `INSERT INTO aggregate AS a (aggregate, version, changed_at) VALUES ($1, 1, $2)
			ON CONFLICT (aggregate) DO UPDATE SET version = a.version + 1, changed_at = excluded.changed_at`, aggregate, tx.Now)
		return err
	})
	inTurns(b, "tx/s", 2000, func(n int) time.Duration { return share(b, n, with) },
		func(n int) time.Duration { return share(b, n, without) })
}

// share runs f n times by all writers together and returns how long that took.
func share(b *testing.B, n int, f func() error) time.Duration {
	b.Helper()
	var left atomic.Int64
	left.Store(int64(n))
	began := time.Now()
	var all sync.WaitGroup
	for range writers {
		all.Go(func() {
			for left.Add(-1) >= 0 {
				if err := f(); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
	return time.Since(began)
}

// inTurns measures ours and a plain peer one after the other, each first in every second round, and reports the median
// of the rounds' ratios (more = better).
func inTurns(b *testing.B, unit string, n int, ours, plain func(n int) time.Duration) {
	b.Helper()
	ours(n / 10)
	plain(n / 10)
	var ratios []float64
	var our, other time.Duration
	for round := 0; b.Loop(); round++ {
		var o, p time.Duration
		if round%2 == 0 {
			o, p = ours(n), plain(n)
		} else {
			p, o = plain(n), ours(n)
		}
		ratios, our, other = append(ratios, p.Seconds()/o.Seconds()), our+o, other+p
	}
	slices.Sort(ratios)
	b.ReportMetric(ratios[len(ratios)/2], "ratio")
	b.ReportMetric(float64(n*len(ratios))/our.Seconds(), unit)
	b.ReportMetric(float64(n*len(ratios))/other.Seconds(), "plain-"+unit)
	b.ReportMetric(0, "ns/op")
}

func created(aggregate string) *tenantv1.WorkspaceCreated {
	return &tenantv1.WorkspaceCreated{
		Workspace: aggregate, DisplayName: "a workspace with a name of usual length and a few more words, so that the fact has a usual size",
	}
}

// BenchmarkRelayFromBacklog compares the relay, from facts that wait in Postgres to none that do, with a plain NATS client
// that publishes the same messages in atomic batches of 1,000 from memory. Both servers write each batch to the disk.
func BenchmarkRelayFromBacklog(b *testing.B) {
	r := durable(b)
	facts := 0
	inTurns(b, "facts/s", 20_000, func(n int) time.Duration {
		facts += n
		r.emitMany(b, n, resources)
		return r.drain(b, localtest.NATS(b), n)
	}, func(n int) time.Duration {
		return bare(b, localtest.NATS(b), r.wire(b, n))
	})
}

// drain relays the backlog to a server and returns how long that took.
func (r *record) drain(b *testing.B, server *local.NATS, n int) time.Duration {
	b.Helper()
	if _, err := r.pool.Exec(b.Context(), "DELETE FROM relay_mark"); err != nil { // each round has a server of its own
		b.Fatal(err)
	}
	shore := connect(b, server, "tenant")
	if err := shore.EnsureStream(b.Context(), "tenant"); err != nil {
		b.Fatal(err)
	}
	relay := outbox.NewRelay(outbox.RelayConfig{
		Outbox: outbox.New("tenant"), Pool: r.pool, Bus: shore, Log: slog.New(slog.DiscardHandler),
	})
	began := time.Now()
	if err := relay.Start(b.Context()); err != nil {
		b.Fatal(err)
	}
	for relay.Stats().Published < int64(n) {
		<-time.After(time.Millisecond)
	}
	if err := relay.Stop(b.Context()); err != nil {
		b.Fatal(err)
	}
	took := time.Since(began)
	if waiting, _, err := relay.Lag(b.Context()); err != nil || waiting != 0 {
		b.Fatalf("%d facts are left: %v", waiting, err)
	}
	return took
}

// wire are the n facts recorded last as their messages.
func (r *record) wire(b *testing.B, n int) []*nats.Msg {
	b.Helper()
	rows, err := r.pool.Query(b.Context(), `SELECT seq, at, event_id, aggregate, version, type, workspace, headers, payload
		FROM event_log ORDER BY at DESC, seq DESC LIMIT $1`, n)
	events, err := pg.All[outbox.Event](rows, err)
	if err != nil || len(events) != n {
		b.Fatalf("%d events: %v", len(events), err)
	}
	messages := make([]*nats.Msg, n)
	for i, e := range events {
		messages[i] = nats.NewMsg(outbox.Subject(e.Type, e.Workspace))
		messages[i].Data = e.Payload
		for k, v := range map[string]string{
			"ce-specversion": "1.0", "ce-id": e.ID.String(), "ce-source": "/naksha/tenant", "ce-type": e.Type,
			"ce-time": e.At.Format(time.RFC3339Nano), "ce-subject": e.Aggregate, "ce-aggregate": e.Aggregate,
			"ce-aggregateversion": strconv.FormatInt(e.Version, 10), "ce-workspace": e.Workspace,
			"Content-Type": "application/protobuf", jetstream.MsgIDHeader: e.ID.String(),
		} {
			messages[i].Header.Set(k, v)
		}
	}
	return messages
}

// bare publishes messages in atomic batches and returns how long that took.
func bare(b *testing.B, server *local.NATS, messages []*nats.Msg) time.Duration {
	b.Helper()
	if err := connect(b, server, "tenant").EnsureStream(b.Context(), "tenant"); err != nil {
		b.Fatal(err)
	}
	conn, err := nats.Connect(server.URL(), nats.UserInfo("tenant", "tenant"), nats.CustomInboxPrefix("_INBOX_tenant"))
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close()
	began := time.Now()
	for i, m := range messages {
		m.Header["Nats-Batch-Id"] = []string{"batch-" + strconv.Itoa(i/1000)}
		m.Header["Nats-Batch-Sequence"] = []string{strconv.Itoa(i%1000 + 1)}
		if i%1000 < 999 && i < len(messages)-1 {
			if err := conn.PublishMsg(m); err != nil {
				b.Fatal(err)
			}
			continue
		}
		m.Header["Nats-Batch-Commit"] = []string{"1"}
		ack, err := conn.RequestMsg(m, 10*time.Second)
		if err != nil || !strings.Contains(string(ack.Data), fmt.Sprintf(`"seq":%d,`, i+1)) {
			b.Fatalf("batch: %v, %v", err, ack)
		}
	}
	return time.Since(began)
}
