// Package file replaces small files: after a crash or a power failure there is the old one or the new one, whole. It keeps
// no content and knows no format.
package file

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Unfinished is the name of the file that Replace writes first. A crash may leave it; the next Replace begins again.
func Unfinished(path string) string { return path + ".new" }

// Replace puts content in the place of path, durably. One at a time may replace the same path.
func Replace(path string, content []byte, mode fs.FileMode) error {
	f, err := os.OpenFile(Unfinished(path), os.O_WRONLY|os.O_CREATE|os.O_TRUNC, mode)
	if err != nil {
		return fmt.Errorf("write %s: %w", filepath.Base(path), err)
	}
	if err = f.Chmod(mode); err == nil { // what a crash left may have had another mode
		_, err = f.Write(content)
	}
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return errors.Join(fmt.Errorf("write %s: %w", filepath.Base(path), err), os.Remove(f.Name()))
	}
	return Rename(f.Name(), path)
}

// Rename gives a whole file its name, durably: without a flush of the folder, a power failure could take it back.
func Rename(from, to string) error {
	if err := os.Rename(from, to); err != nil {
		return err
	}
	d, err := os.Open(filepath.Dir(to))
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
