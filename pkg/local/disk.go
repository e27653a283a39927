package local

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// headroom is the free space in bytes below which a disk counts as full: servers refuse writes at different moments.
const headroom = 64 << 20

// CheckDisk returns nil when the disk below a folder has room and takes a durable write, and else what is wrong with it.
func CheckDisk(dir string) error {
	var disk syscall.Statfs_t
	if err := syscall.Statfs(dir, &disk); err != nil {
		return fmt.Errorf("look at the disk below %s: %w", dir, err)
	}
	if free := disk.Bavail * uint64(disk.Bsize); free < headroom {
		return fmt.Errorf("less than %d MB are free below %s: free some", headroom>>20, dir)
	}
	name := filepath.Join(dir, "probe.tmp")
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("the disk below %s takes no file: %w", dir, err)
	}
	_, err = f.Write(make([]byte, 512))
	err = errors.Join(err, f.Sync(), f.Close())
	if gone := os.Remove(name); !errors.Is(gone, fs.ErrNotExist) { // somebody else who looks at the disk removed it
		err = errors.Join(err, gone)
	}
	if err != nil {
		return fmt.Errorf("the disk below %s takes no write: %w", dir, err)
	}
	return nil
}
