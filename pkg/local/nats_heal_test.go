package local_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/naksha-cloud/naksha/pkg/local"
	"github.com/naksha-cloud/naksha/pkg/local/localtest"
)

func TestFrozenServerIsSeenByTheProbeAndHealedByARestartInPlace(t *testing.T) {
	t.Parallel()
	disk := localtest.Disk(t, 128<<20)
	n, err := local.StartNATS(t.Context(), local.NATSConfig{
		Dir: disk.Dir + "/nats", Permissions: localtest.Permissions(t), Passwords: map[string]string{"tenant": "tenant"},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = n.Stop(context.Background()) })
	url, tenant := n.URL(), newClient(t, n, "tenant")
	makeStream(t, tenant)
	if err := n.Probe(t.Context()); err != nil {
		t.Fatalf("a server that works: %v", err)
	}
	if err := disk.Fill(); err != nil {
		t.Fatal(err)
	}
	acknowledged := publishUntilRefused(t, tenant.js)
	if err := n.Probe(t.Context()); err == nil {
		t.Error("the probe does not see that the disk is full")
	}
	if err := n.Writable(); err == nil {
		t.Error("a full disk is called writable")
	}
	if err := disk.Free(); err != nil {
		t.Fatal(err)
	}
	if err := n.Writable(); err != nil {
		t.Errorf("the disk has space again: %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), localtest.Patience)
	defer cancel()
	if err := n.Restart(ctx); err != nil {
		t.Fatal(err)
	}
	if err := n.Probe(ctx); err != nil {
		t.Errorf("after the restart: %v", err)
	}
	if n.URL() != url {
		t.Errorf("it moved from %s to %s", url, n.URL())
	}
	again := newClient(t, n, "tenant")
	stream, err := again.js.Stream(ctx, "TENANT")
	if err != nil {
		t.Fatal(err)
	}
	if got := stream.CachedInfo().State.Msgs; got < acknowledged {
		t.Errorf("%d of %d acknowledged messages are there", got, acknowledged)
	}
}

// publishUntilRefused returns how many messages were acknowledged before the first that was not.
func publishUntilRefused(t *testing.T, js jetstream.JetStream) (acknowledged uint64) {
	t.Helper()
	for i := range 20_000 {
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		_, err := js.Publish(ctx, fmt.Sprintf("naksha.tenant.v1.x.%d", i), make([]byte, 4096), jetstream.WithRetryAttempts(0))
		cancel()
		if err != nil {
			return acknowledged
		}
		acknowledged++
	}
	t.Fatal("a full disk takes 40 MB")
	return 0
}

func TestStoppedServerIsNotRestarted(t *testing.T) {
	t.Parallel()
	n := localtest.NATS(t)
	if err := n.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := n.Restart(t.Context()); err == nil {
		t.Error("it was restarted")
	}
	if err := n.Probe(t.Context()); err == nil {
		t.Error("the probe finds it well")
	}
}
