package local

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestVersionIsReadFromEveryDistribution(t *testing.T) {
	t.Parallel()
	for out, want := range map[string]struct {
		version string
		major   int
	}{
		"postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n": {"15.18", 15},
		"postgres (PostgreSQL) 17.2\n":                           {"17.2", 17},
		"postgres (PostgreSQL) 19beta1\n":                        {"19beta1", 19},
		"postgres (PostgreSQL) 18devel\n":                        {"18devel", 18},
	} {
		version, major, err := parseVersion(out)
		if err != nil || version != want.version || major != want.major {
			t.Errorf("%q: %s, %d, %v", out, version, major, err)
		}
	}
	for _, out := range []string{"", "postgres", "postgres (EnterpriseDB) 15.1", "postgres (PostgreSQL) x"} {
		if version, _, err := parseVersion(out); err == nil {
			t.Errorf("%q is read as %s", out, version)
		}
	}
}

func TestSettingsAreQuoted(t *testing.T) {
	t.Parallel()
	got := string(renderSettings(map[string]string{"b": `it's \ "x"` + "\nport = 1", "a": ""}))
	if !strings.HasSuffix(got, "\na = ''\nb = 'it''s \\\\ \"x\"\\nport = 1'\n") {
		t.Errorf("rendered as %s", got)
	}
}

func TestKeysThatFilesCannotHoldAreRefused(t *testing.T) {
	t.Parallel()
	for _, key := range []string{"/", "a//b", "//", "./a", "a/.", "..", "a/../b", "a\x00", "\xff", ".sgwtmp", ".sgwtmp/x"} {
		if checkKey(&key) == nil {
			t.Errorf("%q passes", key)
		}
		source := "bucket/" + key
		if checkSource(&source) == nil {
			t.Errorf("copy from %q passes", source)
		}
	}
	for _, key := range []string{"a", "a/b/", "...", ".hidden", "a..b", "a b", "ü", `\..\x`} {
		if err := checkKey(&key); err != nil {
			t.Errorf("%q: %v", key, err)
		}
	}
}

func FuzzKeyIsStoredOneToOne(f *testing.F) {
	for _, key := range []string{"a/b", "../x", "a//b", "x\x00", "."} {
		f.Add(key)
	}
	f.Fuzz(func(t *testing.T, key string) {
		if key == "" || checkKey(&key) != nil {
			return
		}
		if path := filepath.Join("/bucket", key); strings.TrimSuffix(path, "/") != "/bucket/"+strings.TrimSuffix(key, "/") {
			t.Errorf("%q is stored as %s", key, path)
		}
	})
}

func TestListenErrorsNameTheirRemedy(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		err  error
		want string
	}{
		{syscall.EADDRINUSE, "choose another port with --nats-port"},
		{syscall.EACCES, "choose one above 1023 with --nats-port"},
		{syscall.EADDRNOTAVAIL, "choose another host"},
	} {
		if err := ExplainListen(test.err, "127.0.0.1", 80, "--nats-port"); !strings.Contains(err.Error(), test.want) {
			t.Errorf("%v: %v", test.err, err)
		}
	}
	if err := ExplainListen(nil, "127.0.0.1", 80, ""); err != nil {
		t.Errorf("no error became %v", err)
	}
}

func TestLongLogIsMovedAside(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "log")
	if err := os.WriteFile(path, make([]byte, logLimit+1), 0o600); err != nil {
		t.Fatal(err)
	}
	log, err := openLog(path)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	if info, err := log.Stat(); err != nil || info.Size() != 0 {
		t.Errorf("the log is still long: %v, %v", info, err)
	}
	if info, err := os.Stat(path + ".1"); err != nil || info.Size() != logLimit+1 {
		t.Errorf("the older log: %v, %v", info, err)
	}
}

func TestCacheIsPublishedByOneOnly(t *testing.T) {
	t.Parallel()
	from, cache := t.TempDir(), filepath.Join(t.TempDir(), "cache", "entry")
	if err := os.WriteFile(filepath.Join(from, "file"), []byte("x"), 0o640); err != nil {
		t.Fatal(err)
	}
	results := make(chan error, 8)
	for range cap(results) {
		go func() { results <- publishFolder(from, cache) }()
	}
	for range cap(results) {
		if err := <-results; err != nil {
			t.Error(err)
		}
	}
	if entries, err := os.ReadDir(filepath.Dir(cache)); err != nil || len(entries) != 1 {
		t.Errorf("the cache holds %v, %v", entries, err)
	}
	if err := copyFolder(cache, from); err == nil {
		t.Error("a copy over an existing folder succeeded")
	}
}

func TestProcessIsNotMistakenForAnother(t *testing.T) {
	t.Parallel()
	us, err := findProcess(os.Getpid())
	if err != nil || !us.alive() {
		t.Fatalf("this process: %+v, %v", us, err)
	}
	impostor := process{PID: us.PID, Start: us.Start + 1}
	if impostor.alive() {
		t.Error("a process with another start time counts as the same")
	}
	if err := impostor.signal(syscall.SIGKILL); err != nil {
		t.Errorf("signal to a process that is gone: %v", err)
	}
	if _, err := findProcess(-1); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("process -1: %v", err)
	}
}
