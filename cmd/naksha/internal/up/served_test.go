package up

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/naksha-cloud/naksha/pkg/local/localtest"
)

func TestServerWithoutDataIsMadeUntilAPlatformWasReady(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir())
	cell := private{name: "cell Postgres", dir: s.path("postgres", "cell1"), holds: []string{"data"}, flag: "--cell-url"}
	bus := private{name: "NATS", dir: s.path("nats")} // filled again from the record
	if err := s.refuseLost(cell, bus); err != nil {
		t.Errorf("before a platform was ready: %v", err)
	}
	if err := s.markServed(); err != nil {
		t.Fatal(err)
	}
	err := s.refuseLost(cell, bus)
	if err == nil || !strings.Contains(err.Error(), "cell Postgres") || !strings.Contains(err.Error(), "--cell-url") || strings.Contains(err.Error(), "NATS") {
		t.Errorf("without data: %v", err)
	}
	if err := os.MkdirAll(filepath.Join(cell.dir, "data"), 0o711); err != nil {
		t.Fatal(err)
	}
	if err := s.refuseLost(cell, bus); err != nil {
		t.Errorf("with data: %v", err)
	}
}

func TestServerWhoseDataVanishesWhileThePlatformRunsIsNotMadeAnew(t *testing.T) {
	t.Parallel()
	started := 0
	cell := private{
		name: "cell Postgres", dir: t.TempDir(), holds: []string{"data"},
		start: func(context.Context) error { started++; return nil },
	}
	if err := cell.comeBack(t.Context()); err == nil || !strings.Contains(err.Error(), "naksha down") {
		t.Errorf("without data: %v", err)
	}
	if err := os.Mkdir(filepath.Join(cell.dir, "data"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := cell.comeBack(t.Context()); err != nil || started != 1 {
		t.Errorf("with data: %v, started %d times, want 1", err, started)
	}
}

func TestDirectoryOfAnEarlierReleaseIsKnownToHaveServed(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir())
	cell := private{name: "cell Postgres", dir: s.path("postgres", "cell1"), holds: []string{"data"}, flag: "--cell-url"}
	if err := os.WriteFile(s.path(fileEndpoints), []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := s.refuseLost(cell); err == nil || !strings.Contains(err.Error(), s.path(fileEndpoints)) {
		t.Errorf("without data: %v", err)
	}
}

func TestCertificateOfTheAuthorityIsForEverybodyAgainAfterEachStart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, dir)
	if err := s.close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(s.caFile(), []byte("spoilt"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(s.caFile(), 0o600); err != nil {
		t.Fatal(err)
	}
	open(t, dir)
	shown, err := os.ReadFile(s.caFile())
	if err != nil || string(shown) != string(s.pki.CA().CertPEM()) {
		t.Errorf("got %q, %v", shown, err)
	}
	if info, err := os.Stat(s.caFile()); err != nil || info.Mode().Perm() != 0o644 {
		t.Errorf("%v, %v", info, err)
	}
}

func TestFirstStartWithoutRoomIsRefused(t *testing.T) {
	t.Parallel()
	disk := localtest.Disk(t, firstSpace/2)
	platform, err := New(Config{Dir: disk.Dir})
	if err == nil {
		err = platform.Start(t.Context())
	}
	if err == nil || !strings.Contains(err.Error(), "MB free") || !strings.Contains(err.Error(), "--dir") {
		t.Errorf("got %v", err)
	}
}
