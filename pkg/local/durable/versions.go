package durable

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/versity/versitygw/backend/meta"
)

// versions is the folder of older versions: <bucket>/<3 × 2 digits>/<SHA-256 of the key>/<version id>.
type versions struct {
	dir     string // absolute
	folders *folders
}

func (v *versions) of(bucket, key string) string {
	sum := sha256.Sum256([]byte(key))
	name := hex.EncodeToString(sum[:])
	return filepath.Join(bucket, name[:2], name[2:4], name[4:6], name)
}

// sync makes durable which older versions an object has. Most have none.
func (v *versions) sync(bucket, key string) error {
	dir := v.of(bucket, key)
	if _, err := os.Lstat(filepath.Join(v.dir, dir)); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return v.folders.sync(bucket, v.dir, dir)
}

// syncRemoval makes durable that an older version is gone.
func (v *versions) syncRemoval(bucket, key string) error {
	if _, err := os.Lstat(filepath.Join(v.dir, bucket)); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return v.folders.sync(bucket, v.dir, v.of(bucket, key))
}

// keep gives an object's newest version a second name among the older ones.
func (v *versions) keep(bucket, key string) error {
	id, err := meta.XattrMeta{}.RetrieveAttribute(nil, bucket, key, attrVersion)
	if errors.Is(err, meta.ErrNoSuchKey) {
		id, err = []byte(nullVersion), nil
	}
	if err != nil {
		return err
	}
	dir := filepath.Join(v.dir, v.of(bucket, key))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	name := filepath.Join(dir, string(id))
	if err := os.Remove(name); ifThere(err) != nil { // a twin of it
		return err
	}
	if err := os.Link(filepath.Join(bucket, key), name); err != nil {
		return err
	}
	return v.sync(bucket, key)
}

// newest returns the path of the newest of the older versions, whose ids tell their order; empty where there is none, or
// one without an id among them.
func (v *versions) newest(bucket, key string) string {
	dir := filepath.Join(v.dir, v.of(bucket, key))
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) == 0 || entries[len(entries)-1].Name() == nullVersion { // it sorts behind ids
		return ""
	}
	return filepath.Join(dir, entries[len(entries)-1].Name())
}

// prune removes an object's folders that are empty.
func (v *versions) prune(bucket, key string) {
	for dir := v.of(bucket, key); dir != bucket && os.Remove(filepath.Join(v.dir, dir)) == nil; dir = filepath.Dir(dir) {
	}
}

// removeTwin removes the copy of a version that is still the newest one. A process that was killed while it replaced the
// version left it; the newest would come back from it when it is deleted.
func (v *versions) removeTwin(bucket, key, version string) error {
	newest, err := meta.XattrMeta{}.RetrieveAttribute(nil, bucket, key, attrVersion)
	if err != nil || string(newest) != version {
		return nil // the object's own call says what is wrong
	}
	err = os.Remove(filepath.Join(v.dir, v.of(bucket, key), version))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return errors.Join(err, v.sync(bucket, key))
}
