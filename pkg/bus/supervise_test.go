package bus_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/naksha-cloud/naksha/pkg/bus"
	"github.com/naksha-cloud/naksha/pkg/local"
	"github.com/naksha-cloud/naksha/pkg/local/localtest"
)

func TestConsumerFollowsAStreamThatWasMadeAnew(t *testing.T) {
	t.Parallel()
	port := localtest.Port(t)
	server := disk(t, localtest.TempDir(t), port)
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
		if got := await(t, handled, localtest.Patience); got != want {
			t.Fatalf("got %s, not %s", got, want)
		}
	}
	stopServer(t, server)
	server = disk(t, localtest.TempDir(t), port)
	publish(t, server, 1)
	if got := await(t, handled, localtest.Patience); got != "a" {
		t.Errorf("got %s", got)
	}
	if why := await(t, reasons, localtest.Patience); why != string(bus.StreamReplaced) && why != string(bus.ConsumerGone) {
		t.Errorf("attached anew: %s", why)
	}
	awaitReady(t, c)
}

// awaitReady waits until the consumer consumes.
func awaitReady(t *testing.T, c *bus.Consumer) {
	t.Helper()
	for deadline := time.Now().Add(localtest.Patience); ; <-time.After(20 * time.Millisecond) {
		if err := c.Ready(t.Context()); err == nil {
			return
		} else if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
}

func TestConsumerThatIsHandedNothingAttachesAnew(t *testing.T) {
	t.Parallel()
	server := localtest.NATS(t)
	tenant := connect(t, server, "tenant", "tenant").Stream("tenant")
	holds(t, tenant, 0)
	hang(t, server)
	handled, reasons := make(chan string, 10_000), make(chan string, 100)
	c := bus.NewConsumer(connect(t, server, "backup", "backup"), bus.StreamOf("tenant"), "backup",
		bus.Each(func(_ context.Context, d bus.Delivery) error {
			handled <- d.ID
			return nil
		}), func(why bus.Reason) { reasons <- string(why) })
	c.SetPatience(time.Second)
	if err := c.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Stop(context.Background()) })
	awaitReady(t, c)  // else the one that hangs is dealt all
	const batches = 3 // the broker deals them out to both, until the one that hangs has a thousand
	for i := range batches {
		if _, err := tenant.PublishBatch(t.Context(), uint64(i*bus.MaxBatch), messages(i*bus.MaxBatch, bus.MaxBatch)); err != nil {
			t.Fatal(err)
		}
	}
	for seen := map[string]bool{}; len(seen) < batches*bus.MaxBatch; {
		seen[await(t, handled, localtest.Patience)] = true
	}
	if why := await(t, reasons, localtest.Patience); why != string(bus.Stalled) {
		t.Errorf("attached anew: %s", why)
	}
}

// hang is another replica of backup that takes as many of tenant's messages as the broker hands out, and neither handles
// them nor lets go of them.
func hang(t *testing.T, server *local.NATS) {
	t.Helper()
	conn, err := nats.Connect(server.URL(), nats.UserInfo("backup", "backup"), nats.CustomInboxPrefix("_INBOX_backup"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	js, err := jetstream.New(conn)
	if err != nil {
		t.Fatal(err)
	}
	consumer, err := js.CreateConsumer(t.Context(), bus.StreamOf("tenant"), jetstream.ConsumerConfig{
		Durable: "backup", AckPolicy: jetstream.AckExplicitPolicy, AckWait: 10 * time.Minute, MaxDeliver: -1,
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := consumer.Fetch(bus.MaxBatch, jetstream.FetchMaxWait(10*time.Minute)); err != nil {
		t.Fatal(err)
	}
	if err := conn.Flush(); err != nil { // the broker knows that it asks
		t.Fatal(err)
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
		last = await(t, handled, localtest.Patience)
	}
	if last != "c" || tried["d"] != 1 {
		t.Errorf("%s came last, d was tried %d times", last, tried["d"])
	}
}
