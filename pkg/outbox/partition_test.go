package outbox_test

import (
	"log/slog"
	"testing"
	"time"

	"github.com/naksha-cloud/naksha/pkg/bus"
	"github.com/naksha-cloud/naksha/pkg/clock"
	"github.com/naksha-cloud/naksha/pkg/local/localtest"
	"github.com/naksha-cloud/naksha/pkg/outbox"
	"github.com/naksha-cloud/naksha/pkg/pg/pgtest"
)

func TestOldFactsAreDroppedOnceTheyArePublished(t *testing.T) {
	t.Parallel()
	hands := clock.NewFake(time.Now())
	r := &record{Outbox: outbox.New("tenant"), pool: pgtest.Pool(t, hands)}
	if err := outbox.Migrate(t.Context(), r.pool); err != nil {
		t.Fatal(err)
	}
	first := r.partitions(t)
	r.emitNamed(t, "workspaces/a", "a1")
	hands.Advance(10 * 7 * 24 * time.Hour)
	server := localtest.NATS(t)
	shore := connect(t, server, "tenant")
	away := bus.New(bus.Config{URL: "nats://127.0.0.1:1", User: "tenant", Password: "tenant"})
	start(t, away)
	config := outbox.RelayConfig{
		Outbox: r.Outbox, Pool: r.pool, Bus: away, Keep: 14 * 24 * time.Hour, Log: slog.New(slog.NewTextHandler(t.Output(), nil)),
	}
	silent := outbox.NewRelay(config)
	start(t, silent)
	eventually(t, func() bool { return len(r.partitions(t)) == 2*len(first) })
	if err := silent.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if facts, err := outbox.List(t.Context(), r.pool, "workspaces/a", 0, 10); err != nil || len(facts) != 1 {
		t.Fatalf("a fact that nobody has seen is gone: %v", err)
	}
	config.Bus = shore
	start(t, outbox.NewRelay(config))
	eventually(t, func() bool { return r.waiting(t) == 0 })
	hands.Advance(2 * time.Hour)
	eventually(t, func() bool { return len(r.partitions(t)) == len(first) })
	if facts, err := outbox.List(t.Context(), r.pool, "workspaces/a", 0, 10); err != nil || len(facts) != 0 {
		t.Errorf("%d old facts: %v", len(facts), err)
	}
}

func (r *record) partitions(t *testing.T) []string {
	t.Helper()
	var names []string
	err := r.pool.QueryRow(t.Context(), "SELECT array_agg(relname::text) FROM pg_class WHERE relkind = 'r' AND relname ~ '^event_log_'").Scan(&names)
	if err != nil {
		t.Fatal(err)
	}
	return names
}
