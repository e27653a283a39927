package outbox_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"

	"github.com/naksha-cloud/naksha/pkg/bus"
	"github.com/naksha-cloud/naksha/pkg/clock"
	"github.com/naksha-cloud/naksha/pkg/local"
	"github.com/naksha-cloud/naksha/pkg/local/localtest"
	"github.com/naksha-cloud/naksha/pkg/outbox"
	"github.com/naksha-cloud/naksha/pkg/pg"
	"github.com/naksha-cloud/naksha/pkg/run"
	tenantv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/tenant/v1"
)

const effectSQL = "INSERT INTO effect (aggregate, name, at) VALUES ($1, $2, $3)"

// consumer is a service's durable database with a table for effects.
func consumer(b *testing.B) *pg.Pool {
	b.Helper()
	pool := durable(b).pool
	if _, err := pool.Exec(b.Context(), "CREATE TABLE effect (aggregate text, name text, at timestamptz)"); err != nil {
		b.Fatal(err)
	}
	return pool
}

// deliveries are n facts of many aggregates from a number on, as a stream brings them.
func deliveries(b *testing.B, from, n int) []bus.Delivery {
	b.Helper()
	payload, err := proto.Marshal(&tenantv1.WorkspaceCreated{DisplayName: strings.Repeat("x", 100)})
	if err != nil {
		b.Fatal(err)
	}
	all := make([]bus.Delivery, n)
	for i := range all {
		id, err := uuid.NewV7()
		if err != nil {
			b.Fatal(err)
		}
		all[i] = bus.Delivery{Attempt: 1, Message: outbox.Envelope("tenant", outbox.Event{
			At: time.Now().UTC().Truncate(time.Microsecond), ID: id, Aggregate: fmt.Sprintf("workspaces/%d", (from+i)/4), Version: int64(i%4 + 1),
			Type: "naksha.tenant.v1.WorkspaceCreated", Workspace: ref, Payload: payload,
		})}
	}
	return all
}

func intake(b *testing.B, pool *pg.Pool) *outbox.Intake {
	b.Helper()
	return outbox.NewIntake(outbox.IntakeConfig{
		Consumer: "TENANT/backup", Ledger: outbox.NewLedger(pool, "TENANT/backup"), Clock: clock.System(),
		Log: slog.New(slog.DiscardHandler),
		Reactions: []outbox.Reaction{
			outbox.On(func(ctx context.Context, tx *pg.Tx, m outbox.Meta, w *tenantv1.WorkspaceCreated) error {
				_, err := tx.Exec(ctx, effectSQL, m.Aggregate, w.GetDisplayName(), m.Time)
				return err
			}),
		},
	})
}

// BenchmarkInbox takes facts with one effect each, grouped: inbox row, version and effect. The plain peer does nothing but
// the effects, 100 in a transaction, two at a time: what they cost without any promise.
func BenchmarkInbox(b *testing.B) {
	pool, facts := consumer(b), 0
	in := intake(b, pool)
	inTurns(b, "facts/s", 20_000, func(n int) time.Duration {
		b.StopTimer()
		defer b.StartTimer()
		all := deliveries(b, facts, n)
		facts += n
		begun := time.Now()
		for batch := range slices.Chunk(all, 320) {
			if err := errors.Join(in.Handle(b.Context(), batch)...); err != nil {
				b.Fatal(err)
			}
		}
		return time.Since(begun)
	}, func(n int) time.Duration {
		return share(b, n/100, func() error { return effects100(b.Context(), pool) })
	})
}

func effects100(ctx context.Context, pool *pg.Pool) error {
	return pool.InTx(ctx, func(ctx context.Context, tx *pg.Tx) error {
		for i := range 100 {
			if _, err := tx.Exec(ctx, effectSQL, fmt.Sprintf("workspaces/%d", i), strings.Repeat("x", 100), tx.Now); err != nil {
				return err
			}
		}
		return nil
	})
}

// BenchmarkInboxSingly is what the same costs where every fact has a transaction of its own.
func BenchmarkInboxSingly(b *testing.B) {
	in, all := intake(b, consumer(b)), deliveries(b, 0, b.N)
	b.ResetTimer()
	for _, d := range all {
		if err := errors.Join(in.Handle(b.Context(), []bus.Delivery{d})...); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "facts/s")
}

const rate = 500 // facts per second of BenchmarkCommitToEffect

// BenchmarkCommitToEffect measures how long after its commit in one service a fact's effect is committed in another, at
// 500 facts/s, with both databases and the bus writing everything to the disk.
func BenchmarkCommitToEffect(b *testing.B) {
	from, to, server := durable(b), consumer(b), localtest.NATS(b)
	log := slog.New(slog.DiscardHandler)
	begin(b, outbox.NewRelay(outbox.RelayConfig{Outbox: from.Outbox, Pool: from.pool, Bus: shore(b, server, "tenant"), Log: log}))
	n := max(b.N, 5*rate)
	committed, effected := make([]atomic.Int64, n+1), make([]atomic.Int64, n+1)
	var done sync.WaitGroup
	begin(b, outbox.NewInbox(outbox.InboxConfig{
		Service: "backup", Owner: "tenant", Pool: to, Bus: shore(b, server, "backup"), Log: log,
		Reactions: []outbox.Reaction{outbox.On(func(ctx context.Context, tx *pg.Tx, m outbox.Meta, w *tenantv1.WorkspaceCreated) error {
			i, err := strconv.Atoi(w.GetDisplayName())
			if err != nil {
				return err
			}
			tx.AfterCommit(func() {
				effected[i].Store(time.Now().UnixNano())
				done.Done()
			})
			_, err = tx.Exec(ctx, effectSQL, m.Aggregate, w.GetPlan(), m.Time)
			return err
		})},
	}))
	write := func(i int) {
		err := from.pool.InTx(b.Context(), func(ctx context.Context, tx *pg.Tx) error {
			m := &tenantv1.WorkspaceCreated{DisplayName: strconv.Itoa(i), Plan: strings.Repeat("x", 100)}
			return from.Emit(ctx, tx, outbox.Fact{Aggregate: fmt.Sprintf("workspaces/%d", i%1000), Message: m})
		})
		committed[i].Store(time.Now().UnixNano())
		if err != nil {
			b.Error(err)
		}
	}
	done.Add(1)
	write(n) // relay and inbox have found each other when its effect is there
	done.Wait()
	done.Add(n)
	b.ResetTimer()
	tick := time.NewTicker(time.Second / rate)
	defer tick.Stop()
	var writing sync.WaitGroup
	for i := range n {
		<-tick.C
		writing.Go(func() { write(i) })
	}
	writing.Wait()
	done.Wait()
	took := make([]time.Duration, n)
	for i := range took {
		took[i] = max(0, time.Duration(effected[i].Load()-committed[i].Load()))
	}
	slices.Sort(took)
	for name, at := range map[string]int{"p50-ms": n / 2, "p99-ms": n * 99 / 100, "max-ms": n - 1} {
		b.ReportMetric(float64(took[at].Microseconds())/1000, name)
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "facts/s")
	b.ReportMetric(0, "ns/op")
}

func shore(b *testing.B, server *local.NATS, user string) *bus.Bus {
	b.Helper()
	connection := bus.New(bus.Config{URL: server.URL(), User: user, Password: user})
	begin(b, connection)
	return connection
}

func begin(b *testing.B, c run.Component) {
	b.Helper()
	if err := c.Start(b.Context()); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = c.Stop(context.Background()) })
}
