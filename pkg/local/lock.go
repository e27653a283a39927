package local

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// ErrFolderInUse is in the chain of the error for a state folder that another running process holds.
var ErrFolderInUse = errors.New("state folder is in use")

// lockFolder takes the folder for this process. The lock ends with the process however it ends, so whoever holds it
// knows that a server which still runs on the folder was left behind by a killed run.
func lockFolder(dir string) (*os.File, error) {
	path := filepath.Join(dir, "lock")
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open lock of %s: %w", dir, err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		defer f.Close()
		return nil, lockError(dir, path, err)
	}
	if err := writeOwner(f); err != nil {
		return nil, errors.Join(fmt.Errorf("write lock of %s: %w", dir, err), Unlock(f))
	}
	return f, nil
}

// Unlock gives a lock back and closes its file. A child that is just being started has a copy of the open file until its
// program begins, and would keep the lock for so long if the file were only closed.
func Unlock(f *os.File) error {
	return errors.Join(syscall.Flock(int(f.Fd()), syscall.LOCK_UN), f.Close())
}

func lockError(dir, path string, err error) error {
	if !errors.Is(err, syscall.EWOULDBLOCK) {
		return fmt.Errorf("lock %s: %w", dir, err)
	}
	owner, _ := os.ReadFile(path)
	return fmt.Errorf("%s: %w by process %s: stop it first or choose another folder", dir, ErrFolderInUse, strings.TrimSpace(string(owner)))
}

func writeOwner(f *os.File) error {
	if err := f.Truncate(0); err != nil {
		return err
	}
	_, err := f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	return err
}
