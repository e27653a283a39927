package local

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// makeFolder makes a folder and those above it, so that their names survive a loss of power. Of one that exists, the name
// is flushed too: whoever made it may have been killed before.
func makeFolder(dir string, mode fs.FileMode) error {
	parent := filepath.Dir(dir)
	if _, err := os.Stat(parent); errors.Is(err, fs.ErrNotExist) {
		if err := makeFolder(parent, mode); err != nil {
			return err
		}
	}
	if err := os.Mkdir(dir, mode); err != nil && !isFolder(dir) {
		return err
	}
	return syncFolder(parent)
}

// syncFolder makes the names in a folder survive a loss of power.
func syncFolder(dir string) error {
	f, err := os.Open(dir)
	if errors.Is(err, fs.ErrPermission) {
		return nil // we may pass through it, not look at it
	}
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

func isFolder(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// publishFolder copies a folder to a place that other processes look at: it appears there whole or not at all, and
// whoever is first wins.
func publishFolder(from, to string) error {
	if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
		return fmt.Errorf("make cache folder: %w", err)
	}
	next, err := os.MkdirTemp(filepath.Dir(to), filepath.Base(to)+".*")
	if err != nil {
		return fmt.Errorf("make cache folder: %w", err)
	}
	defer os.RemoveAll(next)
	if err := copyFolder(from, filepath.Join(next, "content")); err != nil {
		return fmt.Errorf("fill cache folder: %w", err)
	}
	err = os.Rename(filepath.Join(next, "content"), to)
	if _, there := os.Stat(to); there == nil {
		return nil
	}
	return err
}

// copyFolder copies a tree of folders and plain files with their modes. The target must not exist.
func copyFolder(from, to string) error {
	return filepath.WalkDir(from, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		target := filepath.Join(to, relative)
		if entry.IsDir() {
			return os.Mkdir(target, info.Mode().Perm())
		}
		return copyFile(path, target, info.Mode())
	})
}

func copyFile(from, to string, mode fs.FileMode) (err error) {
	if !mode.IsRegular() {
		return fmt.Errorf("%s is no plain file", from)
	}
	source, err := os.Open(from)
	if err != nil {
		return err
	}
	defer source.Close()
	target, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode.Perm())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, target.Close()) }()
	_, err = io.Copy(target, source)
	return err
}
