// Package localtest gives tests real Postgres, NATS and S3: one Postgres cluster per test package, one NATS server or
// S3 region per test that asks for it, all on loopback and gone at the end. A package's TestMain is
//
//	func TestMain(m *testing.M) { os.Exit(localtest.Run(m)) }
package localtest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/naksha-cloud/naksha/pkg/local"
)

const (
	// RootAccess and RootSecret are the root credentials of a Region made here.
	RootAccess, RootSecret = "localtest-root", "localtest-root-secret"
	// SealKey is the key under which it keeps users' secrets.
	SealKey = "localtest-seal-key-of-32-letters"
	// Patience is how long tests wait for what must come: long enough for a machine that is ten times slower than ours.
	// It ends a test that hangs, and measures nothing; Bar does.
	Patience = 5 * time.Minute
)

// Option changes what Run prepares.
type Option func(*cluster)

// WithSetting adds a setting of postgresql.conf to the package's shared cluster.
func WithSetting(name, value string) Option {
	return func(c *cluster) { c.settings[name] = value }
}

// Run is the body of TestMain: it turns the process into an S3 region where that is asked of it, runs the tests, and
// stops the shared cluster if a test started it. Its result is the exit code.
func Run(m *testing.M, options ...Option) int {
	if local.ChildMain() {
		return 0
	}
	for _, option := range options {
		option(&shared)
	}
	shared.allowed = true
	sweep()
	code := m.Run()
	if err := shared.close(); err != nil {
		fmt.Fprintln(os.Stderr, "localtest:", err)
		return max(code, 1)
	}
	return code
}

// TempDir returns a fresh folder that is removed at the end of the test. Unlike t.TempDir, a server that runs as
// another user may pass through it, and its path is short enough for a unix socket.
func TempDir(t testing.TB) string {
	t.Helper()
	dir, err := tempDir()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Errorf("remove temporary folder: %v", err)
		}
	})
	return dir
}

// tempDir names its owner, so that sweep knows whose it was.
func tempDir() (string, error) {
	dir, err := os.MkdirTemp("", fmt.Sprintf("nk-%d-", os.Getpid()))
	if err != nil {
		return "", fmt.Errorf("make temporary folder: %w", err)
	}
	return dir, os.Chmod(dir, 0o711)
}

// sweep removes what test processes left behind that were killed, as `go test` does after its time limit. What cannot
// be removed is left for another run.
func sweep() {
	ctx, cancel := context.WithTimeout(context.Background(), Patience)
	defer cancel()
	dirs, _ := filepath.Glob(filepath.Join(os.TempDir(), "nk-*-*"))
	for _, dir := range dirs {
		owner, err := strconv.Atoi(strings.Split(filepath.Base(dir), "-")[1])
		if err != nil || !errors.Is(syscall.Kill(owner, 0), syscall.ESRCH) {
			continue
		}
		if local.KillLeftovers(ctx, dir) == nil {
			detach(dir)
			_ = os.RemoveAll(dir)
		}
	}
}

// InitCache returns the folder in which tests keep pristine Postgres data folders between runs.
func InitCache() string {
	base, err := os.UserCacheDir()
	if err != nil {
		base = os.TempDir()
	}
	return filepath.Join(base, "naksha", "initdb")
}

// NATS starts a server for this test with the real permission file. Each user's password is its name.
func NATS(t testing.TB) *local.NATS {
	t.Helper()
	permissions := Permissions(t)
	passwords := map[string]string{}
	for _, user := range permissions.Users() {
		passwords[user] = user
	}
	ctx, cancel := context.WithTimeout(context.Background(), Patience)
	defer cancel()
	n, err := local.StartNATS(ctx, local.NATSConfig{Dir: TempDir(t), Permissions: permissions, Passwords: passwords})
	if err != nil {
		t.Fatal(err)
	}
	cleanup(t, n.Stop)
	return n
}

// Port returns a port for a server that the test stops and starts again.
func Port(t testing.TB) int {
	t.Helper()
	ports, err := local.LastingPorts(1)
	if err != nil {
		t.Fatal(err)
	}
	return ports[0]
}

// Region starts an S3 region for this test. TestMain must return Run.
func Region(t testing.TB, name string) *local.Region {
	t.Helper()
	requireRun(t)
	ctx, cancel := context.WithTimeout(context.Background(), Patience)
	defer cancel()
	r, err := local.StartRegion(ctx, local.RegionConfig{Name: name, Dir: TempDir(t), RootAccess: RootAccess, RootSecret: RootSecret, SealKey: []byte(SealKey)})
	if err != nil {
		t.Fatal(err)
	}
	cleanup(t, r.Stop)
	return r
}

// Permissions returns the repository's deploy/k8s/nats/permissions.yaml.
func Permissions(t testing.TB) local.Permissions {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(repository(t), "deploy", "k8s", "nats", "permissions.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	permissions, err := local.ParsePermissions(content)
	if err != nil {
		t.Fatal(err)
	}
	return permissions
}

// repository returns the folder with go.work at or above the test's working folder.
func repository(t testing.TB) string {
	t.Helper()
	start, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for dir := start; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.work")); err == nil {
			return dir
		}
		if dir == filepath.Dir(dir) {
			t.Fatalf("no go.work above %s: tests run inside the repository", start)
		}
	}
}

// cleanup stops something at the end of the test.
func cleanup(t testing.TB, stop func(context.Context) error) {
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), Patience)
		defer cancel()
		if err := stop(ctx); err != nil {
			t.Error(err)
		}
	})
}

func requireRun(t testing.TB) {
	t.Helper()
	if !shared.allowed {
		t.Fatal("this package needs `func TestMain(m *testing.M) { os.Exit(localtest.Run(m)) }`")
	}
}
