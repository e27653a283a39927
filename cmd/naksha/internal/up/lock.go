package up

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/naksha-cloud/naksha/pkg/fault"
	"github.com/naksha-cloud/naksha/pkg/local"
)

// lockDir makes this process the only one on dir. The lock ends with the process, however that ends.
func lockDir(dir string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, fileLock), os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, fmt.Errorf("state directory %s: %w: run as its owner, or choose another with --dir", dir, err)
	}
	if !takeLock(f) {
		pid, _ := os.ReadFile(f.Name())
		f.Close()
		return nil, fault.Precondition("DIRECTORY_IN_USE", "State directory %s is in use by process %s.", dir, strings.TrimSpace(string(pid))).
			WithRemedy("Stop it with `naksha down`, or choose another with --dir.")
	}
	if err := errors.Join(f.Truncate(0), writeAt(f, strconv.Itoa(os.Getpid())+"\n")); err != nil {
		return nil, errors.Join(fmt.Errorf("state directory %s: %w", dir, err), local.Unlock(f))
	}
	return f, nil
}

// takeLock tries for a moment: `naksha status` may just be looking (Running).
func takeLock(f *os.File) bool {
	for range 10 {
		if syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil {
			return true
		}
		time.Sleep(20 * time.Millisecond)
	}
	return false
}

func writeAt(f *os.File, text string) error {
	_, err := f.WriteAt([]byte(text), 0)
	return err
}

// Running returns the process id of the platform that holds dir, or 0.
func Running(dir string) (int, error) {
	f, err := os.Open(filepath.Join(dir, fileLock))
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("state directory %s: %w", dir, err)
	}
	if syscall.Flock(int(f.Fd()), syscall.LOCK_SH|syscall.LOCK_NB) == nil {
		return 0, local.Unlock(f)
	}
	defer f.Close()
	text, err := os.ReadFile(f.Name())
	if err != nil {
		return 0, err
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		return 0, fmt.Errorf("state directory %s: the platform there has only just begun to start: try again", dir)
	}
	return pid, nil
}
