package blob

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"hash/crc32"
	"io"
	"iter"
	"maps"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"

	"github.com/naksha-cloud/naksha/pkg/fault"
)

// MaxObject is the largest object that Put writes, in bytes.
const MaxObject = 64 << 20

// PutOptions are the properties of a written object.
type PutOptions struct {
	IfNoneMatch bool              // refuse with AlreadyExists when the key has an object
	ContentType string            // default application/octet-stream
	Meta        map[string]string // user metadata, keys without the x-amz-meta- prefix
}

// Version is one version of an object.
type Version struct {
	Key          string
	VersionID    string // empty where the bucket keeps no versions
	ETag         string // without quotes
	Size         int64  // bytes
	Modified     time.Time
	Latest       bool
	DeleteMarker bool
	ContentType  string            // set by Stat and Open only
	Meta         map[string]string // set by Stat and Open only; keys in lower case
}

// Put writes body as one object. AlreadyExists: IfNoneMatch and there is one.
func (s *Store) Put(ctx context.Context, bucket, key string, body []byte, o PutOptions) (Version, error) {
	return s.PutReader(ctx, bucket, key, bytes.NewReader(body), int64(len(body)), o)
}

// PutReader is Put from a reader, of which it takes size bytes. It reads twice, first for the checksums that the server
// compares (SHA-256, part of the signature, and CRC-32C, kept with the object), so what cannot seek is read into memory.
func (s *Store) PutReader(ctx context.Context, bucket, key string, body io.Reader, size int64, o PutOptions) (Version, error) {
	if size < 0 || size > MaxObject {
		return Version{}, fault.Invalid("OBJECT_TOO_LARGE", "The object has %d bytes; at most %d are written at once.", size, MaxObject)
	}
	seeker, sums, err := sum(body, size)
	if err != nil {
		return Version{}, fmt.Errorf("read object %s: %w", place(bucket, key), err)
	}
	ctx, cancel := limit(ctx, writeDeadline)
	defer cancel()
	// Trailing checksums would need one pass only, but not every server checks them right.
	info, err := s.core.PutObject(ctx, bucket, key, seeker, size, "", sums.sha256, o.minio(sums))
	if err != nil {
		return Version{}, toFault(err, bucket, key)
	}
	return Version{Key: key, VersionID: info.VersionID, ETag: info.ETag, Size: info.Size, Latest: true}, nil
}

func (o PutOptions) minio(sums checksums) minio.PutObjectOptions {
	meta := map[string]string{"X-Amz-Checksum-Crc32c": sums.crc32c}
	maps.Copy(meta, o.Meta)
	options := minio.PutObjectOptions{
		ContentType: o.ContentType, UserMetadata: meta, DisableMultipart: true,
		// Signs the sum of the whole instead of each chunk. (Signed chunks of an empty object broke the connection.)
		DisableContentSha256: true,
	}
	if o.IfNoneMatch {
		options.SetMatchETagExcept("*")
	}
	return options
}

// checksums of an object's bytes, as S3's headers want them.
type checksums struct {
	sha256 string // hexadecimal
	crc32c string // base64, big-endian
}

// sum reads size bytes of body and returns them again from their start, with their checksums.
func sum(body io.Reader, size int64) (io.ReadSeeker, checksums, error) {
	seeker, ok := body.(io.ReadSeeker)
	if !ok {
		content := make([]byte, size)
		if _, err := io.ReadFull(body, content); err != nil {
			return nil, checksums{}, err
		}
		seeker = bytes.NewReader(content)
	}
	start, err := seeker.Seek(0, io.SeekCurrent)
	if err != nil {
		return nil, checksums{}, err
	}
	strong, quick := sha256.New(), crc32.New(crc32.MakeTable(crc32.Castagnoli))
	if _, err := io.CopyN(io.MultiWriter(strong, quick), seeker, size); err != nil {
		return nil, checksums{}, err
	}
	_, err = seeker.Seek(start, io.SeekStart)
	return seeker, checksums{
		sha256: hex.EncodeToString(strong.Sum(nil)), crc32c: base64.StdEncoding.EncodeToString(quick.Sum(nil)),
	}, err
}

// Get opens an object; an empty versionID is its latest version. The caller closes it. Its context bounds the reading.
func (s *Store) Get(ctx context.Context, bucket, key, versionID string) (io.ReadCloser, error) {
	body, _, err := s.Open(ctx, bucket, key, versionID)
	return body, err
}

// Open is Get that describes the object as Stat does: what is described is what is read.
func (s *Store) Open(ctx context.Context, bucket, key, versionID string) (io.ReadCloser, Version, error) {
	body, info, _, err := s.core.GetObject(ctx, bucket, key, minio.GetObjectOptions{VersionID: versionID})
	if err != nil {
		return nil, Version{}, toFault(err, bucket, key)
	}
	return body, described(info), nil
}

// ReadAll reads an object of at most MaxObject bytes whole.
func (s *Store) ReadAll(ctx context.Context, bucket, key, versionID string) ([]byte, error) {
	ctx, cancel := limit(ctx, writeDeadline)
	defer cancel()
	body, err := s.Get(ctx, bucket, key, versionID)
	if err != nil {
		return nil, err
	}
	defer func() { _ = body.Close() }() // read to its end, or of no interest
	content, err := io.ReadAll(io.LimitReader(body, MaxObject+1))
	switch {
	case err != nil:
		return nil, toFault(err, bucket, key)
	case len(content) > MaxObject:
		return nil, fault.Invalid("OBJECT_TOO_LARGE", "The object has more than %d bytes; read it as a stream.", MaxObject)
	}
	return content, nil
}

// Stat describes an object without reading it; an empty versionID is its latest version.
func (s *Store) Stat(ctx context.Context, bucket, key, versionID string) (Version, error) {
	ctx, cancel := limit(ctx, askDeadline)
	defer cancel()
	info, err := s.core.StatObject(ctx, bucket, key, minio.StatObjectOptions{VersionID: versionID})
	if err != nil {
		return Version{}, toFault(err, bucket, key)
	}
	return described(info), nil
}

// Delete removes an object: with a versionID that version for good; without, where versions are kept, by a delete
// marker. An object that is not there is no error.
func (s *Store) Delete(ctx context.Context, bucket, key, versionID string) error {
	ctx, cancel := limit(ctx, askDeadline)
	defer cancel()
	err := s.core.RemoveObject(ctx, bucket, key, minio.RemoveObjectOptions{VersionID: versionID})
	return ignoreMissing(toFault(err, bucket, key))
}

// List yields the latest versions of the objects whose key starts with prefix, by key. An error ends it.
func (s *Store) List(ctx context.Context, bucket, prefix string) iter.Seq2[Version, error] {
	return s.list(ctx, bucket, minio.ListObjectsOptions{Prefix: prefix, Recursive: true})
}

// ListVersions yields every version and delete marker under prefix. By key, newest first, where the server keeps to S3's
// order; versitygw lists the delete markers of a page before its versions. See Newer. An error ends it.
func (s *Store) ListVersions(ctx context.Context, bucket, prefix string) iter.Seq2[Version, error] {
	return s.list(ctx, bucket, minio.ListObjectsOptions{Prefix: prefix, Recursive: true, WithVersions: true})
}

func (s *Store) list(ctx context.Context, bucket string, o minio.ListObjectsOptions) iter.Seq2[Version, error] {
	return func(yield func(Version, error) bool) {
		for info := range s.core.ListObjectsIter(ctx, bucket, o) {
			if info.Err != nil {
				yield(Version{}, toFault(info.Err, bucket, ""))
				return
			}
			v := versionOf(info)
			v.Latest = v.Latest || !o.WithVersions
			if !yield(v, nil) {
				return
			}
		}
	}
}

func versionOf(info minio.ObjectInfo) Version {
	return Version{
		Key: info.Key, VersionID: info.VersionID, ETag: strings.Trim(info.ETag, `"`), Size: info.Size,
		Modified: info.LastModified.UTC(), Latest: info.IsLatest, DeleteMarker: info.IsDeleteMarker,
	}
}

// described is versionOf with what only the headers of a reply for one object tell.
func described(info minio.ObjectInfo) Version {
	v := versionOf(info)
	v.ContentType, v.Meta = info.ContentType, map[string]string{}
	for name, value := range info.UserMetadata {
		v.Meta[strings.ToLower(name)] = value
	}
	return v
}
