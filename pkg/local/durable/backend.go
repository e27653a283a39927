package durable

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/versity/versitygw/backend"
	"github.com/versity/versitygw/backend/posix"
	"github.com/versity/versitygw/s3response"
)

// Backend is versitygw's storage in files, made durable. Its methods answer when what they did would survive a loss of
// power; an error of a flush is an error of the call.
type Backend struct {
	*posix.Posix
	folders  *folders
	versions *versions
	keys     *keys
}

var _ backend.Backend = (*Backend)(nil)

// Open opens the storage in two absolute folders, which must exist, and tidies up. It changes the working folder of the
// process to objects: paths below are relative to it.
func Open(objects, older string, o posix.PosixOpts) (*Backend, error) {
	f := &folders{trees: map[string]*tree{}}
	b := &Backend{folders: f, versions: &versions{dir: older, folders: f}, keys: &keys{held: map[string]*held{}}}
	o.VersioningDir = older
	o.ForceNoTmpFile = true     // a replaced object would have a second name for a moment, and keep it after a crash
	o.ForceNoObjLockFile = true // this process is alone
	var err error
	if b.Posix, err = posix.New(objects, attributes{versions: b.versions}, o); err != nil {
		return nil, fmt.Errorf("open objects: %w", err)
	}
	if err := tidy(older); err != nil {
		return nil, fmt.Errorf("tidy objects: %w", err)
	}
	return b, nil
}

// named makes an object's name durable; its content and attributes are.
func (b *Backend) named(bucket, key string) error {
	return b.folders.sync(bucket, ".", filepath.Dir(filepath.Join(bucket, key)))
}

// written makes an object durable whose last attributes came after its name.
func (b *Backend) written(bucket, key string) error {
	if err := ifThere(syncPath(filepath.Join(bucket, key))); err != nil {
		return err
	}
	return b.named(bucket, key)
}

// ifThere overlooks a file that somebody deleted meanwhile.
func ifThere(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// PutObject stores an object.
func (b *Backend) PutObject(ctx context.Context, in s3response.PutObjectInput) (s3response.PutObjectOutput, error) {
	unlock := func() {}
	out, err := b.PutObjectWithPostFunc(ctx, in, func(*os.File) error { // when the body has arrived
		unlock = b.keys.lock(*in.Bucket, *in.Key)
		return nil
	})
	unlock()
	if err != nil {
		return out, err
	}
	later := in.Tagging != nil && *in.Tagging != "" || in.ObjectLockMode != "" || in.ObjectLockLegalHoldStatus != ""
	if out.VersionID != "" && !later {
		return out, b.named(*in.Bucket, *in.Key)
	}
	return out, b.written(*in.Bucket, *in.Key)
}

// CopyObject copies an object.
func (b *Backend) CopyObject(ctx context.Context, in s3response.CopyObjectInput) (s3response.CopyObjectOutput, error) {
	unlock := b.keys.lock(*in.Bucket, *in.Key)
	out, err := b.Posix.CopyObject(ctx, in)
	unlock()
	if err != nil {
		return out, err
	}
	return out, b.written(*in.Bucket, *in.Key)
}

// ListObjectVersions shows a version once that a killed process had copied aside and not replaced yet.
func (b *Backend) ListObjectVersions(ctx context.Context, in *s3.ListObjectVersionsInput) (s3response.ListVersionsResult, error) {
	list, err := b.Posix.ListObjectVersions(ctx, in)
	list.Versions = once(list.Versions, func(v s3response.ObjectVersion) (key, id *string) { return v.Key, v.VersionId })
	list.DeleteMarkers = once(list.DeleteMarkers, func(m types.DeleteMarkerEntry) (key, id *string) { return m.Key, m.VersionId })
	return list, err
}

// once keeps the first of those with the same key and version id, which is the newest one.
func once[T any](list []T, name func(T) (key, id *string)) []T {
	type version struct{ key, id string }
	seen := map[version]bool{}
	return slices.DeleteFunc(list, func(item T) bool {
		key, id := name(item)
		v := version{*key, *id}
		twin := seen[v]
		seen[v] = true
		return twin
	})
}
