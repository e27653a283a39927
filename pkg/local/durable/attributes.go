package durable

import (
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/versity/versitygw/backend/meta"
)

// Names that versitygw v1.8.0 gives to attributes and folders (backend/posix).
const (
	attrACL, attrETag, attrMarker = "acl", "etag", "delete-marker"
	attrVersion, attrVersioning   = "version-id", "versioning"
	scratchDir                    = ".sgwtmp"
	uploadsDir                    = scratchDir + "/multipart"
	inProgress                    = ".inprogress"
	nullVersion                   = "null"
)

// attributes are the extended attributes of files, with the one hook that versitygw offers between the writing of a file
// and its naming: a file that is to become an object is flushed with its last attribute. That is the version's id in a
// bucket that keeps versions, else the ETag; what may follow the ETag there (content type, user metadata) is flushed
// before the answer.
type attributes struct {
	meta.XattrMeta
	versions *versions
}

// StoreAttribute sets an attribute, and flushes the file where the attribute is its last one. Before a version takes the
// place of an older one, the older one's copy is durable.
func (a attributes) StoreAttribute(f *os.File, bucket, object, attribute string, value []byte) error {
	if err := a.XattrMeta.StoreAttribute(f, bucket, object, attribute, value); err != nil {
		return err
	}
	copied := object == "" // an older version, which gets its ETag last: see ListAttributes
	switch {
	case strings.HasPrefix(object, uploadsDir): // parts have no name that anybody reads yet
		return nil
	case attribute == attrETag && f == nil:
		return syncPath(filepath.Join(bucket, object))
	case attribute == attrETag && (copied || !a.keepsVersions(bucket)):
		return f.Sync()
	case attribute == attrVersion && f != nil && copied && a.isMarker(f): // markers have no ETag
		return f.Sync()
	case attribute == attrVersion && f != nil && !copied:
		if err := f.Sync(); err != nil {
			return err
		}
		return a.versions.sync(bucket, object)
	}
	return nil
}

// ListAttributes puts the ETag last: an older version is a copy that gets its attributes in this order.
func (a attributes) ListAttributes(bucket, object string) ([]string, error) {
	names, err := a.XattrMeta.ListAttributes(bucket, object)
	slices.Sort(names) // a marker before its version's id
	if at := slices.Index(names, attrETag); at >= 0 {
		names = append(slices.Delete(names, at, at+1), attrETag)
	}
	return names, err
}

func (a attributes) isMarker(f *os.File) bool {
	_, err := a.RetrieveAttribute(f, "", "", attrMarker)
	return err == nil
}

// keepsVersions says whether new objects of a bucket get a version id.
func (a attributes) keepsVersions(bucket string) bool {
	status, err := a.RetrieveAttribute(nil, bucket, "", attrVersioning)
	return err == nil && len(status) == 1 && status[0] == 1
}
