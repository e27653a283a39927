package durable

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"path/filepath"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/versity/versitygw/s3response"
)

// uploadsOf is the folder of an object's unfinished uploads.
func uploadsOf(bucket, key string) string {
	sum := sha256.Sum256([]byte(key))
	return filepath.Join(bucket, uploadsDir, hex.EncodeToString(sum[:]))
}

// CreateMultipartUpload begins an upload.
func (b *Backend) CreateMultipartUpload(ctx context.Context, in s3response.CreateMultipartUploadInput) (s3response.InitiateMultipartUploadResult, error) {
	out, err := b.Posix.CreateMultipartUpload(ctx, in)
	if err != nil {
		return out, err
	}
	return out, b.folders.sync(*in.Bucket, ".", filepath.Join(uploadsOf(*in.Bucket, *in.Key), out.UploadId))
}

// UploadPart stores a part.
func (b *Backend) UploadPart(ctx context.Context, in *s3.UploadPartInput) (*s3.UploadPartOutput, error) {
	out, err := b.Posix.UploadPart(ctx, in)
	if err != nil {
		return out, err
	}
	return out, b.partWritten(*in.Bucket, *in.Key, *in.UploadId, *in.PartNumber)
}

// UploadPartCopy stores a part that is a range of another object.
func (b *Backend) UploadPartCopy(ctx context.Context, in *s3.UploadPartCopyInput) (s3response.CopyPartResult, error) {
	out, err := b.Posix.UploadPartCopy(ctx, in)
	if err != nil {
		return out, err
	}
	return out, b.partWritten(*in.Bucket, *in.Key, *in.UploadId, *in.PartNumber)
}

func (b *Backend) partWritten(bucket, key, upload string, number int32) error {
	dir := filepath.Join(uploadsOf(bucket, key), upload)
	if err := ifThere(syncPath(filepath.Join(dir, strconv.Itoa(int(number))))); err != nil {
		return err
	}
	return b.folders.sync(bucket, ".", dir)
}

// CompleteMultipartUpload makes an object of the parts. Of two calls for the same upload the second waits: versitygw would
// answer it while the first one is at work, and may yet fail.
func (b *Backend) CompleteMultipartUpload(ctx context.Context, in *s3.CompleteMultipartUploadInput) (s3response.CompleteMultipartUploadResult, string, error) {
	out, version, err := b.complete(ctx, in)
	if err != nil {
		return out, version, err
	}
	return out, version, b.written(*in.Bucket, *in.Key)
}

func (b *Backend) complete(ctx context.Context, in *s3.CompleteMultipartUploadInput) (s3response.CompleteMultipartUploadResult, string, error) {
	defer b.keys.lock(*in.Bucket, *in.Key)()
	defer b.folders.removal(*in.Bucket)()
	return b.Posix.CompleteMultipartUpload(ctx, in)
}

// AbortMultipartUpload forgets an upload and its parts.
func (b *Backend) AbortMultipartUpload(ctx context.Context, in *s3.AbortMultipartUploadInput) error {
	defer b.folders.removal(*in.Bucket)()
	if err := b.Posix.AbortMultipartUpload(ctx, in); err != nil {
		return err
	}
	return b.folders.sync(*in.Bucket, ".", uploadsOf(*in.Bucket, *in.Key))
}
