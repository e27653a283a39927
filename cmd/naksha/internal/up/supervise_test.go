package up

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/naksha-cloud/naksha/pkg/local/localtest"
)

func TestMain(m *testing.M) { os.Exit(localtest.Run(m)) }

func TestServersThatDieComeBackAndServicesGoOn(t *testing.T) {
	t.Parallel()
	p, err := New(Config{Dir: filepath.Join(localtest.TempDir(t), "state"), Log: t.Output()})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := p.Stop(ctx); err != nil {
			t.Error(err)
		}
	})
	platform, cell, dr := p.platform.Load(), p.cell.Load(), p.dr.Load()
	for _, kill := range []func() error{platform.Kill, cell.Kill, dr.Kill} {
		if err := kill(); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for p.platform.Load() == platform || p.cell.Load() == cell || p.dr.Load() == dr || p.Ready(ctx) != nil {
		select {
		case <-ctx.Done():
			t.Fatalf("not back: %v", p.Ready(t.Context()))
		case <-time.After(50 * time.Millisecond):
		}
	}
	if err := p.Restart(ctx); err != nil {
		t.Errorf("the services do not find the servers that came back: %v", err)
	}
}
