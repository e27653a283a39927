package bus_test

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/naksha-cloud/naksha/pkg/bus"
	"github.com/naksha-cloud/naksha/pkg/local"
	"github.com/naksha-cloud/naksha/pkg/local/localtest"
)

func TestMain(m *testing.M) { os.Exit(localtest.Run(m)) }

func connect(t *testing.T, server *local.NATS, user, password string) *bus.Bus {
	t.Helper()
	b := bus.New(bus.Config{
		URL: server.URL(), User: user, Password: password, Log: slog.New(slog.NewTextHandler(t.Output(), nil)),
	})
	if err := b.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(b.Stop(context.Background()), b.Stop(context.Background())); err != nil {
			t.Error(err)
		}
	})
	return b
}

// publish makes tenant's stream with n messages in it.
func publish(t *testing.T, server *local.NATS, n int) {
	t.Helper()
	b := connect(t, server, "tenant", "tenant")
	if err := b.EnsureStream(t.Context(), "tenant"); err != nil {
		t.Fatal(err)
	}
	for i := range n {
		id := string(rune('a' + i))
		err := b.Publish(t.Context(), bus.Message{ID: id, Subject: "naksha.tenant.v1.happened.platform", Payload: []byte(id)})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// consume starts a consumer of tenant's stream, and returns its stop.
func consume(t *testing.T, b *bus.Bus, h func(context.Context, bus.Delivery) error) (stop func()) {
	t.Helper()
	c := bus.NewConsumer(b, bus.StreamOf("tenant"), "backup", bus.Each(h), nil)
	if err := c.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	stop = func() {
		if err := c.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	}
	t.Cleanup(stop)
	return stop
}

func await(t *testing.T, signal <-chan string, within time.Duration) string {
	t.Helper()
	select {
	case s := <-signal:
		return s
	case <-time.After(within):
		t.Fatalf("nothing within %s", within)
		return ""
	}
}

// lines is a log's writer that tells each line.
type lines chan string

func (l lines) Write(line []byte) (int, error) {
	select {
	case l <- string(line):
	default: // enough were told
	}
	return len(line), nil
}

func TestRefusedPasswordIsTriedAgainUntilItIsRight(t *testing.T) {
	t.Parallel()
	dir := localtest.TempDir(t)
	port := localtest.Port(t)
	server := serve(t, dir, port, "old")
	told := make(lines, 100)
	b := bus.New(bus.Config{URL: server.URL(), User: "tenant", Password: "old", Log: slog.New(slog.NewTextHandler(told, nil))})
	if err := b.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Stop(context.Background()) })
	stopServer(t, server)
	server = serve(t, dir, port, "new")
	for refusals := 0; refusals < 4; {
		if strings.Contains(await(t, told, localtest.Patience), "uthorization") {
			refusals++
		}
	}
	if b.Ready(t.Context()) == nil {
		t.Error("ready with a refused password")
	}
	stopServer(t, server)
	serve(t, dir, port, "old")
	for line := ""; !strings.Contains(line, "back"); {
		line = await(t, told, localtest.Patience)
	}
	if err := b.Ready(t.Context()); err != nil {
		t.Error(err)
	}
}

// serve starts a server in dir where tenant has this password.
func serve(t *testing.T, dir string, port int, password string) *local.NATS {
	t.Helper()
	server, err := local.StartNATS(t.Context(), local.NATSConfig{
		Dir: dir, Port: port, Permissions: localtest.Permissions(t), Passwords: map[string]string{"tenant": password},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stopServer(t, server) })
	return server
}

func stopServer(t *testing.T, server *local.NATS) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), localtest.Patience)
	defer cancel()
	if err := server.Stop(ctx); err != nil {
		t.Error(err)
	}
}

func TestStoppedConsumerGivesBackWhatItFetched(t *testing.T) {
	t.Parallel()
	server := localtest.NATS(t)
	publish(t, server, 20)
	b := connect(t, server, "backup", "backup")
	taken := make(chan string, 100)
	stop := consume(t, b, func(ctx context.Context, d bus.Delivery) error {
		taken <- string(d.Payload)
		<-ctx.Done() // the first one stays in hand, the others are fetched and wait
		return ctx.Err()
	})
	await(t, taken, localtest.Patience)
	stop()
	consume(t, b, func(_ context.Context, d bus.Delivery) error {
		taken <- string(d.Payload)
		return nil
	})
	seen := map[string]bool{}
	for deadline := time.Now().Add(15 * time.Second); len(seen) < 20; { // half of the time after which they come anyway
		seen[await(t, taken, time.Until(deadline))] = true
	}
}

func TestPanicOfAHandlerIsAFailureLikeAnyOther(t *testing.T) {
	t.Parallel()
	server := localtest.NATS(t)
	publish(t, server, 1)
	handled := make(chan string, 1)
	consume(t, connect(t, server, "backup", "backup"), func(_ context.Context, d bus.Delivery) error {
		if d.Attempt == 1 {
			panic("broken")
		}
		handled <- string(d.Payload)
		return nil
	})
	await(t, handled, localtest.Patience)
}

func TestHandlerEndsBeforeTheMessageIsHandedOutAgain(t *testing.T) {
	t.Parallel()
	server := localtest.NATS(t)
	publish(t, server, 1)
	bounded := make(chan string, 1)
	consume(t, connect(t, server, "backup", "backup"), func(ctx context.Context, _ bus.Delivery) error {
		if _, ok := ctx.Deadline(); ok {
			bounded <- "bounded"
		}
		return nil
	})
	await(t, bounded, localtest.Patience)
}
