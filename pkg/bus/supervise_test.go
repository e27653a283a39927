package bus_test

import (
	"context"
	"errors"
	"net"
	"testing"
	"time"

	"github.com/naksha-cloud/naksha/pkg/bus"
	"github.com/naksha-cloud/naksha/pkg/local"
	"github.com/naksha-cloud/naksha/pkg/local/localtest"
)

func TestConsumerFollowsAStreamThatWasMadeAnew(t *testing.T) {
	t.Parallel()
	server := disk(t, localtest.TempDir(t), 0)
	publish(t, server, 3)
	handled, reasons := make(chan string, 100), make(chan string, 100)
	c := bus.NewConsumer(connect(t, server, "backup", "backup"), bus.StreamOf("tenant"), "backup",
		bus.Each(func(_ context.Context, d bus.Delivery) error {
			handled <- string(d.Payload)
			return nil
		}), func(why bus.Reason) { reasons <- string(why) })
	if err := c.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Stop(context.Background()) })
	for _, want := range []string{"a", "b", "c"} {
		if got := await(t, handled, 10*time.Second); got != want {
			t.Fatalf("got %s, not %s", got, want)
		}
	}
	port := server.Server().Addr().(*net.TCPAddr).Port
	stopServer(t, server)
	server = disk(t, localtest.TempDir(t), port)
	publish(t, server, 1)
	if got := await(t, handled, 20*time.Second); got != "a" {
		t.Errorf("got %s", got)
	}
	if why := await(t, reasons, 20*time.Second); why != string(bus.StreamReplaced) && why != string(bus.ConsumerGone) {
		t.Errorf("attached anew: %s", why)
	}
	ready := make(chan string, 1)
	for deadline := time.Now().Add(20 * time.Second); len(ready) == 0; <-time.After(20 * time.Millisecond) {
		if err := c.Ready(t.Context()); err == nil {
			ready <- ""
		} else if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
}

// disk starts a server for tenant and backup on a folder.
func disk(t *testing.T, dir string, port int) *local.NATS {
	t.Helper()
	server, err := local.StartNATS(t.Context(), local.NATSConfig{
		Dir: dir, Port: port, Permissions: localtest.Permissions(t), Passwords: map[string]string{"tenant": "tenant", "backup": "backup"},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stopServer(t, server) })
	return server
}

func TestBatchIsSettledOneByOne(t *testing.T) {
	t.Parallel()
	server := localtest.NATS(t)
	publish(t, server, 10)
	handled := make(chan string, 100)
	tried := map[string]int{}
	consume(t, connect(t, server, "backup", "backup"), func(_ context.Context, d bus.Delivery) error {
		name := string(d.Payload)
		if tried[name]++; name == "c" && tried[name] == 1 {
			return bus.Retry(50*time.Millisecond, errors.New("not yet"))
		}
		handled <- name
		return nil
	})
	var last string
	for range 10 {
		last = await(t, handled, 10*time.Second)
	}
	if last != "c" || tried["d"] != 1 {
		t.Errorf("%s came last, d was tried %d times", last, tried["d"])
	}
}
