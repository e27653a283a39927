package durable

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
)

// mostKnown bounds what is remembered of one bucket's folders; a bucket with more is flushed a little more often.
const mostKnown = 1024

// folders flushes folders, and remembers which ones are already reachable after a crash, so that the way to an object is
// flushed once and not with each object.
type folders struct {
	mu    sync.Mutex
	trees map[string]*tree // by bucket
}

// tree is what is known of one bucket's folders. Nothing is trusted or learned while something may be removing folders:
// a folder that was removed and made again is another one of the same name.
type tree struct {
	known    map[string]bool // folders whose own name is on disk
	removing int
	epoch    int // counts removals
}

// tree returns a bucket's tree. The caller holds mu.
func (f *folders) tree(bucket string) *tree {
	t, ok := f.trees[bucket]
	if !ok {
		t = &tree{known: map[string]bool{}}
		f.trees[bucket] = t
	}
	return t
}

// removal begins something that may remove folders of a bucket, and returns what ends it.
func (f *folders) removal(bucket string) (end func()) {
	mark := func(step int) {
		f.mu.Lock()
		defer f.mu.Unlock()
		t := f.tree(bucket)
		t.removing, t.epoch = t.removing+step, t.epoch+1
		clear(t.known)
	}
	mark(1)
	return func() { mark(-1) }
}

func (f *folders) epoch(bucket string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.tree(bucket).epoch
}

// trusted says whether a folder's own name is known to be on disk.
func (f *folders) trusted(bucket, dir string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	t := f.tree(bucket)
	return t.removing == 0 && t.known[dir]
}

// learn remembers folders that were flushed since epoch.
func (f *folders) learn(bucket string, epoch int, dirs []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	t := f.tree(bucket)
	if t.removing > 0 || t.epoch != epoch {
		return
	}
	if len(t.known)+len(dirs) > mostKnown {
		clear(t.known)
	}
	for _, dir := range dirs {
		t.known[dir] = true
	}
}

// sync makes what was named in base/dir durable: the folder itself and, where it is not known yet, the way to it from
// base. A folder that is gone takes the nearest one that is left in its place.
func (f *folders) sync(bucket, base, dir string) error {
	epoch := f.epoch(bucket)
	dir, err := syncNearest(base, dir)
	if err != nil {
		return err
	}
	var learned []string
	for ; dir != "." && !f.trusted(bucket, filepath.Join(base, dir)); dir = filepath.Dir(dir) {
		if err := syncPath(filepath.Join(base, filepath.Dir(dir))); err != nil {
			return err
		}
		learned = append(learned, filepath.Join(base, dir))
	}
	f.learn(bucket, epoch, learned)
	return nil
}

// syncNearest flushes base/dir, or the nearest folder above it that exists, and returns which.
func syncNearest(base, dir string) (string, error) {
	for {
		err := syncPath(filepath.Join(base, dir))
		if dir == "." || !errors.Is(err, fs.ErrNotExist) {
			return dir, err
		}
		dir = filepath.Dir(dir)
	}
}

// syncPath flushes a file or a folder, with its attributes.
func syncPath(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
