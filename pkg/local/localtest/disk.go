package localtest

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// SmallDisk is a file system of its own, for tests that fill it.
type SmallDisk struct{ Dir string }

// Disk returns an empty file system in memory that holds so many bytes. Only root can mount it, and in few
// containers; others skip the test.
func Disk(t testing.TB, size int64) SmallDisk {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("a small disk is mounted by root only")
	}
	d := SmallDisk{Dir: TempDir(t)}
	switch err := syscall.Mount("tmpfs", d.Dir, "tmpfs", 0, fmt.Sprintf("size=%d,mode=0711", size)); {
	case errors.Is(err, syscall.EPERM):
		t.Skip("this container lets nobody mount a small disk")
	case err != nil:
		t.Fatalf("mount a small disk: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(d.Dir, syscall.MNT_DETACH); err != nil {
			t.Errorf("unmount a small disk: %v", err)
		}
	})
	return d
}

func (d SmallDisk) filler() string { return filepath.Join(d.Dir, "filler") }

// Fill takes all the space that is left.
func (d SmallDisk) Fill() error {
	f, err := os.Create(d.filler())
	if err != nil {
		return err
	}
	for size := 1 << 20; size >= 4096 && err == nil; {
		if _, err = f.Write(make([]byte, size)); errors.Is(err, syscall.ENOSPC) {
			size, err = size/2, nil
		}
	}
	return errors.Join(err, f.Close())
}

// Free gives the space back.
func (d SmallDisk) Free() error { return os.Remove(d.filler()) }

// detach unmounts what a killed test left mounted at or below a folder: a FUSE file system without its process answers
// nobody, and could not be removed.
func detach(dir string) {
	mounts, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		return
	}
	for line := range strings.Lines(string(mounts)) {
		if fields := strings.Fields(line); len(fields) > 1 && (fields[1] == dir || strings.HasPrefix(fields[1], dir+"/")) {
			_ = syscall.Unmount(fields[1], syscall.MNT_DETACH)
		}
	}
}
