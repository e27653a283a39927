package up

import (
	"context"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/naksha-cloud/naksha/pkg/local/localtest"
)

func TestMain(m *testing.M) { os.Exit(localtest.Run(m)) }

// started is a platform that the test stops.
func started(t *testing.T) *Platform {
	t.Helper()
	return startedWith(t, Config{})
}

// startedWith is a platform of one configuration in a directory of its own.
func startedWith(t *testing.T, c Config) *Platform {
	t.Helper()
	c.Dir, c.Log = filepath.Join(localtest.TempDir(t), "state"), t.Output()
	p, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), localtest.Patience)
		defer cancel()
		if err := p.Stop(ctx); err != nil {
			t.Error(err)
		}
	})
	return p
}

func TestServersThatDieComeBackAndServicesGoOn(t *testing.T) {
	t.Parallel()
	p := started(t)
	platform, cell, dr := p.platform.Load(), p.cell.Load(), p.dr.Load()
	for _, pid := range []int{platform.PID(), cell.PID(), dr.PID()} {
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), localtest.Patience)
	defer cancel()
	for p.platform.Load() == platform || p.cell.Load() == cell || p.dr.Load() == dr || p.Ready(ctx) != nil {
		select {
		case <-ctx.Done():
			t.Fatalf("not back: %v", p.Ready(t.Context()))
		case <-time.After(50 * time.Millisecond):
		}
	}
	if err := p.serversReady(ctx); err != nil {
		t.Errorf("a trouble outlasts its cause: %v", err)
	}
	if err := p.Restart(ctx); err != nil {
		t.Errorf("the services do not find the servers that came back: %v", err)
	}
}

func TestBrokerThatDiesIsBroughtBackReportedAndForgotten(t *testing.T) {
	t.Parallel()
	p := started(t)
	url, died := p.nats.URL(), p.nats.Server()
	died.Shutdown()
	ctx, cancel := context.WithTimeout(t.Context(), localtest.Patience)
	defer cancel()
	reported := false
	for p.nats.Server() == died || p.Ready(ctx) != nil {
		reported = reported || p.serversReady(ctx) != nil
		select {
		case <-ctx.Done():
			t.Fatalf("not back: %v", p.Ready(t.Context()))
		case <-time.After(10 * time.Millisecond):
		}
	}
	if !reported {
		t.Error("readiness did not tell of it")
	}
	if p.nats.URL() != url {
		t.Errorf("it moved from %s to %s", url, p.nats.URL())
	}
	for len(p.supervisor.troubles.all()) > 0 { // until alerting has taken beginning and end
		select {
		case <-ctx.Done():
			t.Fatalf("alerting was not told: %+v", p.supervisor.troubles.all())
		case <-time.After(50 * time.Millisecond):
		}
	}
}
