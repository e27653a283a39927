package durable

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/versity/versitygw/backend/meta"
)

// tidy takes back what a killed process left half done: files without a name, buckets without an owner, and uploads that
// were being completed, which versitygw would take for completed ones. It looks at buckets and uploads, not at objects.
func tidy(older string) error {
	buckets, err := os.ReadDir(".")
	if err != nil {
		return err
	}
	for _, bucket := range buckets {
		if bucket.IsDir() {
			err = errors.Join(err, tidyBucket(bucket.Name()), removeFiles(filepath.Join(older, bucket.Name(), scratchDir)))
		}
	}
	return err
}

func tidyBucket(bucket string) error {
	if _, err := (meta.XattrMeta{}).RetrieveAttribute(nil, bucket, "", attrACL); errors.Is(err, meta.ErrNoSuchKey) {
		_ = os.Remove(bucket) // nobody was told of it; where it holds something, it stays
		return nil
	}
	if err := removeFiles(filepath.Join(bucket, scratchDir)); err != nil {
		return err
	}
	uploads, err := list(filepath.Join(bucket, uploadsDir))
	for _, object := range uploads {
		if object.IsDir() {
			err = errors.Join(err, tidyUploads(filepath.Join(bucket, uploadsDir, object.Name())))
		}
	}
	return err
}

// tidyUploads gives the uploads of one object their names back, <id> for <id>.<etag>.inprogress.
func tidyUploads(dir string) error {
	if err := removeFiles(dir); err != nil {
		return err
	}
	uploads, err := list(dir)
	for _, upload := range uploads {
		if id, _, ok := strings.Cut(upload.Name(), "."); ok && strings.HasSuffix(upload.Name(), inProgress) {
			err = errors.Join(err, os.Rename(filepath.Join(dir, upload.Name()), filepath.Join(dir, id)), syncPath(dir))
		}
	}
	return err
}

// removeFiles removes the files right in a folder.
func removeFiles(dir string) error {
	entries, err := list(dir)
	for _, entry := range entries {
		if entry.Type().IsRegular() {
			err = errors.Join(err, os.Remove(filepath.Join(dir, entry.Name())))
		}
	}
	return err
}

// list lists a folder; none has no entries.
func list(dir string) ([]fs.DirEntry, error) {
	entries, err := os.ReadDir(dir)
	return entries, ifThere(err)
}
