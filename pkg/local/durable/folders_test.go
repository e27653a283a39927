package durable

import (
	"os"
	"path/filepath"
	"testing"
)

const bucket = "w-own"

// trees returns folders over a base with one deep folder in the bucket, and that folder.
func trees(t *testing.T) (f *folders, base, deep string) {
	t.Helper()
	base, deep = t.TempDir(), filepath.Join(bucket, "a", "b")
	if err := os.MkdirAll(filepath.Join(base, deep), 0o700); err != nil {
		t.Fatal(err)
	}
	return &folders{trees: map[string]*tree{}}, base, deep
}

func (f *folders) mustSync(t *testing.T, base, dir string) {
	t.Helper()
	if err := f.sync(bucket, base, dir); err != nil {
		t.Fatal(err)
	}
}

func TestFoldersOnTheWayAreFlushedOnce(t *testing.T) {
	t.Parallel()
	f, base, deep := trees(t)
	if f.trusted(bucket, filepath.Join(base, deep)) {
		t.Error("a folder is trusted before it was flushed")
	}
	f.mustSync(t, base, deep)
	for _, dir := range []string{bucket, filepath.Join(bucket, "a"), deep} {
		if !f.trusted(bucket, filepath.Join(base, dir)) {
			t.Errorf("%s was flushed and is not trusted", dir)
		}
	}
	if f.trusted("w-other", filepath.Join(base, deep)) {
		t.Error("another bucket trusts the folder")
	}
}

func TestFolderIsNotTrustedWhileOrAfterSomethingWasRemoved(t *testing.T) {
	t.Parallel()
	f, base, deep := trees(t)
	f.mustSync(t, base, deep)
	epoch := f.epoch(bucket)
	end := f.removal(bucket)
	if f.trusted(bucket, filepath.Join(base, deep)) {
		t.Error("a folder is trusted while something is being removed")
	}
	f.mustSync(t, base, deep)
	end()
	if f.trusted(bucket, filepath.Join(base, deep)) {
		t.Error("a folder is trusted that was flushed during a removal")
	}
	f.learn(bucket, epoch, []string{filepath.Join(base, deep)}) // of a flush that began before the removal
	if f.trusted(bucket, filepath.Join(base, deep)) {
		t.Error("a folder is trusted that was flushed before a removal")
	}
	f.mustSync(t, base, deep)
	if !f.trusted(bucket, filepath.Join(base, deep)) {
		t.Error("a folder that was flushed after the removal is not trusted")
	}
}

func TestFolderThatIsGoneIsReplacedByTheNearestOne(t *testing.T) {
	t.Parallel()
	f, base, deep := trees(t)
	f.mustSync(t, base, filepath.Join(deep, "gone", "too"))
	if !f.trusted(bucket, filepath.Join(base, deep)) {
		t.Error("the nearest folder was not flushed")
	}
	f.mustSync(t, base, "another/bucket")
}

func TestKeysAreLockedOneByOneAndForgotten(t *testing.T) {
	t.Parallel()
	k := &keys{held: map[string]*held{}}
	unlock, other := k.lock(bucket, "a"), k.lock(bucket, "b")
	entered := make(chan func())
	go func() { entered <- k.lock(bucket, "a") }()
	other()
	select {
	case <-entered:
		t.Error("two hold one key")
	default:
	}
	unlock()
	(<-entered)()
	if len(k.held) != 0 {
		t.Errorf("%d keys are remembered", len(k.held))
	}
}
