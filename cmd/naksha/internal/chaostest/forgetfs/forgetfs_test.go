package forgetfs_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/naksha-cloud/naksha/cmd/naksha/internal/chaostest/forgetfs"
	"github.com/naksha-cloud/naksha/pkg/local/localtest"
)

// mount returns a mounted file system and its folder.
func mount(t *testing.T, disks ...string) (*forgetfs.FS, string) {
	t.Helper()
	if why := forgetfs.Unavailable(); why != "" {
		t.Skip(why)
	}
	dir := localtest.TempDir(t)
	at, backing := filepath.Join(dir, "at"), filepath.Join(dir, "backing")
	if err := errors.Join(os.Mkdir(at, 0o755), os.Mkdir(backing, 0o755)); err != nil {
		t.Fatal(err)
	}
	f, err := forgetfs.Mount(at, backing, disks...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := f.Unmount(); err != nil {
			t.Error(err)
		}
	})
	return f, at
}

func write(t *testing.T, path, content string, sync bool) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.WriteString(content)
	if sync {
		err = errors.Join(err, f.Sync())
	}
	if err := errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
}

func syncDir(t *testing.T, path string) {
	t.Helper()
	d, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(d.Sync(), d.Close()); err != nil {
		t.Fatal(err)
	}
}

// holds fails unless the file has the content; "-" means that there is no such file.
func holds(t *testing.T, path, want string) {
	t.Helper()
	got, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		got, err = []byte("-"), nil
	}
	if err != nil || string(got) != want {
		t.Errorf("%s holds %.40q (%d bytes), want %.40q: %v", filepath.Base(path), got, len(got), want, err)
	}
}

func TestPowerLossForgetsWhatWasNotSynced(t *testing.T) {
	t.Parallel()
	f, at := mount(t)
	in := func(name string) string { return filepath.Join(at, name) }
	big := string(bytes.Repeat([]byte("0123456789"), 5000))
	for _, name := range []string{"overwritten", "cut", "renamed", "replaced", "removed", "kept"} {
		write(t, in(name), big, true)
	}
	syncDir(t, at)
	write(t, in("kept"), "new", true)
	write(t, in("instead"), "new", true)
	write(t, in("overwritten"), "new", false)
	write(t, in("new"), "new", false)
	if err := errors.Join(os.Truncate(in("cut"), 10), os.Rename(in("renamed"), in("elsewhere")), os.Rename(in("instead"), in("replaced")),
		os.Remove(in("removed")), os.Mkdir(in("folder"), 0o755)); err != nil {
		t.Fatal(err)
	}
	write(t, in("folder/inner"), "new", false)
	holds(t, in("replaced"), "new")
	if err := f.PowerLoss(); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"kept": "new", "overwritten": big, "new": "-", "cut": big, "renamed": big, "elsewhere": "-", "replaced": big, "removed": big, "folder": "-",
		"instead": "new",
	} {
		holds(t, in(name), want)
	}
}

func TestPowerLossKeepsWhatWasSynced(t *testing.T) {
	t.Parallel()
	f, at := mount(t)
	in := func(name string) string { return filepath.Join(at, name) }
	write(t, in("a"), "one", false)
	write(t, in("b"), "two", true) // confirms the creation of a, which came before, but not what a holds
	if err := errors.Join(os.Mkdir(in("folder"), 0o755), os.Rename(in("b"), in("folder/c")), os.Link(in("folder/c"), in("d"))); err != nil {
		t.Fatal(err)
	}
	syncDir(t, at)
	write(t, in("folder/e"), "three", true)
	opened, err := os.OpenFile(in("f"), os.O_CREATE|os.O_WRONLY|syscall.O_DSYNC, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	_, err = opened.WriteString("four")
	if err := errors.Join(err, opened.Close(), unix.Setxattr(in("f"), "user.x", []byte("1"), 0)); err != nil {
		t.Fatal(err)
	}
	if err := f.PowerLoss(); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"a": "", "b": "-", "folder/c": "two", "d": "two", "folder/e": "three", "f": "four"} {
		holds(t, in(name), want)
	}
	if _, err := unix.Getxattr(in("f"), "user.x", make([]byte, 10)); !errors.Is(err, unix.ENODATA) {
		t.Errorf("an attribute that was not synced: %v", err)
	}
}

func TestDisksAreSyncedApart(t *testing.T) {
	t.Parallel()
	f, at := mount(t, "one", "two")
	in := func(name string) string { return filepath.Join(at, name) }
	if err := errors.Join(os.Mkdir(in("one"), 0o755), os.Mkdir(in("two"), 0o755)); err != nil {
		t.Fatal(err)
	}
	syncDir(t, at)
	syncDir(t, in("one"))
	syncDir(t, in("two"))
	write(t, in("one/a"), "1", false)
	write(t, in("two/b"), "2", true)
	if err := f.PowerLoss(); err != nil {
		t.Fatal(err)
	}
	holds(t, in("one/a"), "-")
	holds(t, in("two/b"), "2")
}

func TestInjectedFaultsReachWhoWritesAndEnd(t *testing.T) {
	t.Parallel()
	f, at := mount(t)
	path := filepath.Join(at, "a")
	write(t, path, "before", true)
	for _, op := range []string{"write", "fsync"} {
		f.Fail(func(failing, path string) syscall.Errno {
			if failing == op && path == "a" {
				return syscall.EIO
			}
			return 0
		})
		opened, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		_, err = opened.WriteString("after!")
		err = errors.Join(err, opened.Sync(), opened.Close())
		if !errors.Is(err, syscall.EIO) {
			t.Errorf("%s: %v", op, err)
		}
	}
	f.Fail(nil)
	write(t, path, "healed", true)
	holds(t, path, "healed")
}
