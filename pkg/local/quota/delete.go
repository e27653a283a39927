package quota

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/versity/versitygw/s3response"
)

// AbortMultipartUpload passes on, and makes room.
func (b *Backend) AbortMultipartUpload(ctx context.Context, in *s3.AbortMultipartUploadInput) error {
	defer b.buckets.state(*in.Bucket).freed()
	return b.Backend.AbortMultipartUpload(ctx, in)
}

// DeleteObject passes on, and makes room.
func (b *Backend) DeleteObject(ctx context.Context, in *s3.DeleteObjectInput) (*s3.DeleteObjectOutput, error) {
	defer b.buckets.state(*in.Bucket).freed()
	return b.Backend.DeleteObject(ctx, in)
}

// DeleteObjects passes on, and makes room.
func (b *Backend) DeleteObjects(ctx context.Context, in *s3.DeleteObjectsInput) (s3response.DeleteResult, error) {
	defer b.buckets.state(*in.Bucket).freed()
	return b.Backend.DeleteObjects(ctx, in)
}

// DeleteBucket passes on, and forgets the bucket.
func (b *Backend) DeleteBucket(ctx context.Context, bucket string) error {
	defer b.buckets.forget(bucket)
	return b.Backend.DeleteBucket(ctx, bucket)
}
