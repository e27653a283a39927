package outbox_test

import (
	"bufio"
	"context"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/naksha-cloud/naksha/pkg/bus"
	"github.com/naksha-cloud/naksha/pkg/local"
	"github.com/naksha-cloud/naksha/pkg/local/localtest"
	"github.com/naksha-cloud/naksha/pkg/outbox"
	"github.com/naksha-cloud/naksha/pkg/pg"
)

// relayChild makes this process a replica of tenant that only relays, when a test asked for that.
func relayChild() bool {
	database, url := os.Getenv("NAKSHA_TEST_RELAY_DATABASE"), os.Getenv("NAKSHA_TEST_RELAY_BUS")
	if database == "" {
		return false
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	pool := pg.New(pg.Config{URL: database})
	shore := bus.New(bus.Config{URL: url, User: "tenant", Password: "tenant"})
	relay := outbox.NewRelay(outbox.RelayConfig{
		Outbox: outbox.New("tenant"), Pool: pool, Bus: shore, Log: slog.New(slog.NewTextHandler(os.Stdout, nil)),
	})
	for _, c := range []interface{ Start(context.Context) error }{pool, shore, relay} {
		if err := c.Start(ctx); err != nil {
			panic(err)
		}
	}
	<-ctx.Done()
	_ = relay.Stop(ctx)
	return true
}

// replica is such a process.
type replica struct {
	*exec.Cmd
	part chan string // publishes=true, or false, at each change
}

func newReplica(t *testing.T, r *record, server *local.NATS) *replica {
	t.Helper()
	c := &replica{Cmd: exec.Command(os.Args[0]), part: make(chan string, 100)}
	c.Env = append(os.Environ(), "NAKSHA_TEST_RELAY_DATABASE="+r.url, "NAKSHA_TEST_RELAY_BUS="+server.URL())
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	var reading sync.WaitGroup
	reading.Go(func() { c.read(out) })
	t.Cleanup(func() {
		_ = c.Process.Kill()
		reading.Wait()
		_ = c.Wait()
	})
	return c
}

func (c *replica) read(out io.Reader) {
	for lines := bufio.NewScanner(out); lines.Scan(); {
		for _, part := range []string{"publishes=true", "publishes=false"} {
			if strings.Contains(lines.Text(), part) {
				c.part <- part
			}
		}
	}
}

// takes waits until the replica has this part, and returns how long that took.
func (c *replica) takes(t *testing.T, part string) time.Duration {
	t.Helper()
	began := time.Now()
	for deadline := time.After(localtest.Patience); ; {
		select {
		case now := <-c.part:
			if now == part {
				return time.Since(began)
			}
		case <-deadline:
			t.Fatalf("still not %s", part)
		}
	}
}

func (c *replica) signal(t *testing.T, s os.Signal) {
	t.Helper()
	if err := c.Process.Signal(s); err != nil {
		t.Fatal(err)
	}
}

func TestAnotherReplicaTakesOverWhenTheActiveOneIsStoppedOrKilled(t *testing.T) {
	t.Parallel()
	r, server := newRecord(t, "tenant"), localtest.NATS(t)
	facts := make(chan int)
	ctx, stop := context.WithCancel(t.Context())
	go func() { facts <- r.chatter(ctx, t) }()
	first := newReplica(t, r, server)
	first.takes(t, "publishes=true")
	second := newReplica(t, r, server)

	first.signal(t, syscall.SIGSTOP)
	stopped := second.takes(t, "publishes=true")
	first.signal(t, syscall.SIGCONT)
	first.takes(t, "publishes=false")
	second.signal(t, os.Kill)
	killed := first.takes(t, "publishes=true")
	stop()
	n := <-facts
	eventually(t, func() bool { return r.waiting(t) == 0 })
	t.Logf("%d facts, %d repeats; taken over %s after a stop, %s after a kill", n, orderly(t, server, n), stopped, killed)
	if max(stopped, killed) > localtest.Bar(3*time.Second) {
		t.Error("a takeover took too long")
	}
}

// chatter records facts of ten aggregates until ctx ends, and returns how many.
func (r *record) chatter(ctx context.Context, t *testing.T) (n int) {
	for ; ctx.Err() == nil; n++ {
		aggregate := "workspaces/" + string(rune('a'+n%10))
		err := r.tell(context.WithoutCancel(ctx), outbox.Fact{Aggregate: aggregate, Workspace: ref, Message: created(aggregate)})
		if err != nil {
			t.Error(err)
			return n
		}
	}
	return n
}
