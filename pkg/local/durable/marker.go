package durable

import (
	"errors"
	"os"
	"path/filepath"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/oklog/ulid/v2"
	"github.com/versity/versitygw/backend"
	"github.com/versity/versitygw/backend/meta"
)

// Deleting an object that keeps versions, and erasing the newest one, are done here and not by versitygw: it copies the
// content aside or back, and sets attributes one by one, so that a kill in between leaves something that nobody asked
// for. Here a link and a rename do it, whatever the size.

// setMarker sets a delete marker in the place of an object. done is false where versitygw has to do it: no versions, or
// nothing there.
func (b *Backend) setMarker(in *s3.DeleteObjectInput) (out *s3.DeleteObjectOutput, done bool, err error) {
	path := filepath.Join(*in.Bucket, *in.Key)
	info, err := os.Lstat(path)
	if err != nil || !info.Mode().IsRegular() || !b.marks(*in.Bucket, in) {
		return nil, false, nil
	}
	if err := check(in, info); err != nil {
		return nil, true, err
	}
	if err := b.versions.keep(*in.Bucket, *in.Key); err != nil {
		return nil, true, err
	}
	id, marker := ulid.Make().String(), true
	if err := placeMarker(*in.Bucket, path, id); err != nil {
		return nil, true, err
	}
	return &s3.DeleteObjectOutput{DeleteMarker: &marker, VersionId: &id}, true, b.named(*in.Bucket, *in.Key)
}

// placeMarker puts a marker in the place of a file, in one step.
func placeMarker(bucket, path, id string) error {
	scratch := filepath.Join(bucket, scratchDir)
	if err := os.MkdirAll(scratch, 0o755); err != nil {
		return err
	}
	f, err := os.CreateTemp(scratch, "marker.")
	if err != nil {
		return err
	}
	err = errors.Join(
		meta.XattrMeta{}.StoreAttribute(f, "", "", attrMarker, nil),
		meta.XattrMeta{}.StoreAttribute(f, "", "", attrVersion, []byte(id)),
		f.Sync(), f.Close(),
	)
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}

// eraseNewest erases the newest version and puts the one before it in its place. done is false where versitygw has to do
// it: another version, or nothing before it.
func (b *Backend) eraseNewest(in *s3.DeleteObjectInput) (out *s3.DeleteObjectOutput, done bool, err error) {
	bucket, key := *in.Bucket, *in.Key
	info, err := os.Lstat(filepath.Join(bucket, key))
	newest, _ := attributes{}.RetrieveAttribute(nil, bucket, key, attrVersion)
	before := b.versions.newest(bucket, key)
	if err != nil || before == "" || string(newest) != *in.VersionId {
		return nil, false, nil
	}
	if err := check(in, info); err != nil {
		return nil, true, err
	}
	_, err = attributes{}.RetrieveAttribute(nil, bucket, key, attrMarker)
	marker := err == nil
	if err := os.Rename(before, filepath.Join(bucket, key)); err != nil {
		return nil, true, err
	}
	b.versions.prune(bucket, key)
	err = errors.Join(b.named(bucket, key), b.versions.syncRemoval(bucket, key))
	return &s3.DeleteObjectOutput{DeleteMarker: &marker, VersionId: in.VersionId}, true, err
}

// check holds a deletion to its conditions.
func check(in *s3.DeleteObjectInput, info os.FileInfo) error {
	etag, _ := attributes{}.RetrieveAttribute(nil, *in.Bucket, *in.Key, attrETag) // none matches none
	return backend.EvaluateObjectDeletePreconditions(string(etag), info.ModTime(), info.Size(), backend.ObjectDeletePreconditions{
		IfMatch: in.IfMatch, IfMatchLastModTime: in.IfMatchLastModifiedTime, IfMatchSize: in.IfMatchSize,
	})
}
