package outbox_test

import (
	"context"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/naksha-cloud/naksha/pkg/bus"
	"github.com/naksha-cloud/naksha/pkg/local"
	"github.com/naksha-cloud/naksha/pkg/local/localtest"
	"github.com/naksha-cloud/naksha/pkg/outbox"
)

func TestFactsOfAStreamThatWasResetArePublishedAgain(t *testing.T) {
	t.Parallel()
	for name, kept := range map[string]string{"and kept the first": "kept", "and kept nothing": ""} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, b := newRecord(t, "tenant"), newBroker(t)
			shore := b.connect(t)
			resets := make(chan outbox.StreamReset, 10)
			relay := outbox.NewRelay(outbox.RelayConfig{
				Outbox: r.Outbox, Pool: r.pool, Bus: shore, Log: slog.New(slog.NewTextHandler(t.Output(), nil)),
				Reset: func(lost outbox.StreamReset) { resets <- lost },
			})
			start(t, relay)
			r.emitNamed(t, "workspaces/a", "a1", "a2", "a3")
			eventually(t, func() bool { return r.waiting(t) == 0 })
			b.save(t)
			r.emitNamed(t, "workspaces/a", "a4", "a5")
			r.emitNamed(t, "workspaces/b", "b1")
			eventually(t, func() bool { return r.waiting(t) == 0 })
			b.lose(t, kept != "")
			select {
			case lost := <-resets:
				if want := map[bool]uint64{true: 3, false: 0}[kept != ""]; lost.Was != 6 || lost.Is != want || lost.Facts != 6 {
					t.Errorf("told of %+v", lost)
				}
			case <-time.After(localtest.Patience):
				t.Fatal("nobody noticed")
			}
			r.emitNamed(t, "workspaces/b", "b2")
			eventually(t, func() bool { return r.waiting(t) == 0 })
			if repeats := orderly(t, b.server, 7); repeats != 0 || relay.Stats().Resets != 1 {
				t.Errorf("%d repeats, %+v", repeats, relay.Stats())
			}
			eventually(t, func() bool { return relay.Ready(t.Context()) == nil })
		})
	}
}

func TestNothingIsPublishedBehindFactsThatTheDatabaseForgot(t *testing.T) {
	t.Parallel()
	r, b := newRecord(t, "tenant"), newBroker(t)
	relay := func() *outbox.Relay {
		return outbox.NewRelay(outbox.RelayConfig{
			Outbox: r.Outbox, Pool: r.pool, Bus: b.connect(t), Log: slog.New(slog.NewTextHandler(t.Output(), nil)),
		})
	}
	first := relay()
	start(t, first)
	r.emitNamed(t, "workspaces/a", "a1", "a2", "a3")
	eventually(t, func() bool { return r.waiting(t) == 0 })
	if err := first.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, statement := range []string{ // as the database was before the last fact
		"DELETE FROM event_log WHERE version = 3", "UPDATE aggregate SET version = 2", "UPDATE relay_mark SET last = 2",
	} {
		if _, err := r.pool.Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	second := relay()
	start(t, second)
	r.emitNamed(t, "workspaces/a", "another third")
	eventually(t, func() bool {
		err := second.Ready(t.Context())
		return err != nil && strings.Contains(err.Error(), "does not know")
	})
	if r.waiting(t) != 1 {
		t.Error("the other third fact was published")
	}
	b.lose(t, false) // the operator does what the error says
	eventually(t, func() bool { return r.waiting(t) == 0 && second.Ready(t.Context()) == nil })
	orderly(t, b.server, 3)
}

// broker is a NATS server whose disk the test may exchange.
type broker struct {
	dir, saved string
	port       int
	server     *local.NATS
}

func newBroker(t *testing.T) *broker {
	t.Helper()
	b := &broker{dir: localtest.TempDir(t) + "/nats", saved: localtest.TempDir(t) + "/saved", port: localtest.Port(t)}
	b.start(t)
	t.Cleanup(func() { b.stop(t) })
	return b
}

func (b *broker) start(t *testing.T) {
	t.Helper()
	server, err := local.StartNATS(t.Context(), local.NATSConfig{
		Dir: b.dir, Port: b.port, Permissions: localtest.Permissions(t), Passwords: map[string]string{"tenant": "tenant", "backup": "backup"},
	})
	if err != nil {
		t.Fatal(err)
	}
	b.server = server
}

func (b *broker) stop(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), localtest.Patience)
	defer cancel()
	if err := b.server.Stop(ctx); err != nil {
		t.Error(err)
	}
}

func (b *broker) connect(t *testing.T) *bus.Bus { return connect(t, b.server, "tenant") }

// save keeps a copy of the disk as it is now.
func (b *broker) save(t *testing.T) {
	t.Helper()
	b.stop(t)
	if err := os.CopyFS(b.saved, os.DirFS(b.dir)); err != nil {
		t.Fatal(err)
	}
	b.start(t)
}

// lose stops the server and starts it on the disk as it was saved, or on an empty one.
func (b *broker) lose(t *testing.T, keep bool) {
	t.Helper()
	b.stop(t)
	if err := os.RemoveAll(b.dir); err != nil {
		t.Fatal(err)
	}
	if keep {
		if err := os.CopyFS(b.dir, os.DirFS(b.saved)); err != nil {
			t.Fatal(err)
		}
	}
	b.start(t)
}
