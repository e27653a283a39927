package outbox_test

import (
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/naksha-cloud/naksha/pkg/bus"
	"github.com/naksha-cloud/naksha/pkg/local/localtest"
	"github.com/naksha-cloud/naksha/pkg/outbox"
)

// inTime is the bar: what the stream's files lost is found and repaired within it.
var inTime = localtest.Bar(30 * time.Second)

func TestFactsLostInTheStreamsFilesAreRepairedInTime(t *testing.T) {
	t.Parallel()
	for name, damage := range map[string]func(content []byte) []byte{
		"a byte is altered": func(content []byte) []byte {
			content[len(content)/2] ^= 0x10
			return content
		},
		"the end is cut":        func(content []byte) []byte { return content[:len(content)*2/3] },
		"everything is removed": func([]byte) []byte { return nil },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, from, to, seen := newBroker(t), newRecord(t, "tenant"), newRecord(t, "backup"), newEffects()
			shore := b.connect(t)
			relay := outbox.NewRelay(outbox.RelayConfig{
				Outbox: from.Outbox, Pool: from.pool, Bus: shore, Log: slog.New(slog.NewTextHandler(t.Output(), nil)),
			})
			start(t, relay)
			const aggregates, facts = 10, 6
			for i := range facts {
				for a := range aggregates {
					from.emitNamed(t, fmt.Sprintf("workspaces/%d", a), fmt.Sprintf("%d-%d", a, i))
				}
			}
			eventually(t, func() bool { return from.waiting(t) == 0 })
			// The owner's relay would publish again what the stream lost: the consumer is to heal without it.
			if err := relay.Stop(t.Context()); err != nil {
				t.Fatal(err)
			}
			b.damage(t, damage)
			damaged, found := time.Now(), newFindings()
			start(t, outbox.NewInbox(outbox.InboxConfig{
				Service: "backup", Owner: "tenant", Pool: to.pool, Bus: connect(t, b.server, "backup"),
				Log: slog.New(slog.NewTextHandler(t.Output(), nil)), Source: owner{record: from, page: 100}, Report: found.add,
				Reactions: []outbox.Reaction{outbox.On(named(seen))},
			}))
			names := seen.wait(t, aggregates*facts)
			took := time.Since(damaged)
			t.Logf("%d of %d facts were fetched, whole after %s", found.of(outbox.Unreached)+found.of(outbox.Gap), len(names), took)
			if took > inTime {
				t.Errorf("it took %s", took)
			}
			next := map[string]int{}
			for _, name := range names {
				aggregate, number, _ := strings.Cut(name, "-")
				if number != fmt.Sprint(next[aggregate]) {
					t.Fatalf("%s came after %d facts of its aggregate", name, next[aggregate])
				}
				next[aggregate]++
			}
		})
	}
}

// damage changes every block file of the streams while the server is stopped.
func (b *broker) damage(t *testing.T, change func(content []byte) []byte) {
	t.Helper()
	b.stop(t)
	changed := 0
	err := filepath.WalkDir(b.dir, func(path string, _ fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".blk" || strings.Contains(path, "$SYS") {
			return err
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		changed++
		if content = change(content); content == nil {
			return os.Remove(path)
		}
		return os.WriteFile(path, content, 0o600)
	})
	if err != nil || changed == 0 {
		t.Fatalf("changed %d files: %v", changed, err)
	}
	b.start(t)
}

func TestRunningServicesHealWhenTheStreamLosesItsEnd(t *testing.T) {
	t.Parallel()
	b, from, to, seen, found := newBroker(t), newRecord(t, "tenant"), newRecord(t, "backup"), newEffects(), newFindings()
	relay := outbox.NewRelay(outbox.RelayConfig{
		Outbox: from.Outbox, Pool: from.pool, Bus: b.connect(t), Log: slog.New(slog.NewTextHandler(t.Output(), nil)),
	})
	start(t, relay)
	restarts := make(chan bus.Reason, 100)
	in := outbox.NewInbox(outbox.InboxConfig{
		Service: "backup", Owner: "tenant", Pool: to.pool, Bus: connect(t, b.server, "backup"),
		Log: slog.New(slog.NewTextHandler(t.Output(), nil)), Source: owner{record: from, page: 100}, Report: found.add,
		Reactions: []outbox.Reaction{outbox.On(named(seen))}, Restarted: func(why bus.Reason) { restarts <- why },
	})
	start(t, in)
	for i := range 60 {
		from.emitNamed(t, "workspaces/a", fmt.Sprint(i))
		if i == 20 {
			seen.wait(t, 20)
			b.save(t)
		}
	}
	seen.wait(t, 60)
	eventually(t, func() bool { return from.waiting(t) == 0 })
	// The relay would publish again what the stream lost, and hide the loss within a moment.
	if err := relay.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.lose(t, true)
	select {
	case why := <-restarts:
		if why != bus.StreamWentBack {
			t.Errorf("attached anew: %s", why)
		}
	case <-time.After(inTime):
		t.Fatal("the consumer did not notice")
	}
	start(t, relay)
	for i := range 10 { // fewer than were lost: their places in the stream are taken again
		from.emitNamed(t, "workspaces/a", fmt.Sprint(60+i))
	}
	for i, name := range seen.wait(t, 70) {
		if name != fmt.Sprint(i) {
			t.Fatalf("effect %d is %s", i, name)
		}
	}
	await(t, "readiness", func() bool { return in.Ready(t.Context()) == nil })
}
