package bus_test

import (
	"context"
	"log/slog"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/naksha-cloud/naksha/pkg/bus"
	"github.com/naksha-cloud/naksha/pkg/local/localtest"
)

func TestBrokerThatFallsSilentIsNoticed(t *testing.T) {
	t.Parallel()
	server := localtest.NATS(t)
	var silent atomic.Bool
	b := bus.New(bus.Config{
		URL: "nats://" + relay(t, server.Server().Addr().String(), &silent), User: "tenant", Password: "tenant",
		Log: slog.New(slog.NewTextHandler(t.Output(), nil)),
	})
	if err := b.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Stop(context.Background()) })
	until(t, "the bus is ready", func() bool { return b.Ready(t.Context()) == nil })
	silent.Store(true)
	until(t, "it is not", func() bool { return b.Ready(t.Context()) != nil })
	silent.Store(false)
	until(t, "it is again", func() bool { return b.Ready(t.Context()) == nil })
}

func until(t *testing.T, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !done(); <-time.After(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not after a minute: %s", what)
		}
	}
}

// relay passes connections on to a server. While it is silent it takes what is sent, and nobody hears of it: as with a
// machine that lost its power, no connection ends.
func relay(t *testing.T, to string, silent *atomic.Bool) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			near, err := listener.Accept()
			if err != nil {
				return
			}
			far, err := net.Dial("tcp", to)
			if err != nil {
				_ = near.Close()
				continue
			}
			go pass(near, far, silent)
			go pass(far, near, silent)
		}
	}()
	return listener.Addr().String()
}

func pass(from, to net.Conn, silent *atomic.Bool) {
	defer from.Close()
	defer to.Close()
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		if err == nil && !silent.Load() {
			_, err = to.Write(buffer[:n])
		}
		if err != nil {
			return
		}
	}
}
