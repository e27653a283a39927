package up

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/naksha-cloud/naksha/pkg/local"
)

// ownNames are all names that a platform makes in its state directory.
var ownNames = []string{
	fileFormat, fileLock, fileServed, fileCA, fileRootKey, fileAdminKey, fileNextKey, fileEndpoints, fileTap, dirKeys, dirRun, dirShown, LogFile, "pki",
	"postgres", "nats", "s3",
}

// Part is one entry of a state directory.
type Part struct {
	Name  string
	Bytes int64
}

// Belongings lists what is in a state directory. It refuses a folder that is none, or that holds anything else: what is
// listed here is what Uninstall removes.
func Belongings(dir string) ([]Part, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("state directory: %w: name it with --dir", err)
	}
	if !slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return e.Name() == fileFormat && e.Type().IsRegular() }) {
		return nil, fmt.Errorf("%s is no state directory of Naksha Cloud (it has no %s): nothing was removed; name the right one with --dir", dir, fileFormat)
	}
	var parts []Part
	for _, e := range entries {
		name := e.Name()
		base := strings.TrimSuffix(strings.TrimSuffix(name, ".new"), ".1")
		if !slices.Contains(ownNames, base) || e.Type()&fs.ModeSymlink != 0 {
			return nil, fmt.Errorf("%s holds %s, which Naksha Cloud did not make: nothing was removed; move it away first", dir, name)
		}
		parts = append(parts, Part{Name: name, Bytes: SizeOf(filepath.Join(dir, name))})
	}
	return parts, nil
}

// Uninstall removes a state directory whose platform is stopped, with all data in it. One that was interrupted may be
// repeated: what marks the folder as ours goes last.
func Uninstall(ctx context.Context, dir string) error {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return fmt.Errorf("state directory: %w", err)
	}
	parts, err := Belongings(dir)
	if err != nil {
		return err
	}
	lock, err := lockDir(dir)
	if err != nil {
		return err
	}
	defer local.Unlock(lock)
	if _, err := endOrphans(ctx, dir, nil); err != nil {
		return err
	}
	for _, p := range parts {
		if p.Name == fileFormat || p.Name == fileLock {
			continue
		}
		if err := os.RemoveAll(filepath.Join(dir, p.Name)); err != nil {
			return fmt.Errorf("remove %s: %w: run it again as the owner", p.Name, err)
		}
	}
	err = errors.Join(os.Remove(filepath.Join(dir, fileFormat)), os.Remove(filepath.Join(dir, fileLock)))
	if err != nil {
		return fmt.Errorf("remove state directory: %w", err)
	}
	if err := os.Remove(dir); err != nil && !errors.Is(err, syscall.EBUSY) { // a mount point stays, empty
		return fmt.Errorf("remove state directory: %w", err)
	}
	return nil
}
