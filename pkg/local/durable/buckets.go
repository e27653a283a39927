package durable

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// CreateBucket makes a bucket.
func (b *Backend) CreateBucket(ctx context.Context, in *s3.CreateBucketInput, acl []byte) error {
	if err := b.Posix.CreateBucket(ctx, in, acl); err != nil {
		return err
	}
	return errors.Join(syncPath(*in.Bucket), syncPath("."))
}

// DeleteBucket removes an empty bucket.
func (b *Backend) DeleteBucket(ctx context.Context, bucket string) error {
	defer b.folders.removal(bucket)()
	if err := b.Posix.DeleteBucket(ctx, bucket); err != nil {
		return err
	}
	return errors.Join(syncPath("."), syncPath(b.versions.dir))
}

// set flushes a bucket's attributes after a call that changed one.
func (b *Backend) set(bucket string, err error) error {
	if err != nil {
		return err
	}
	return syncPath(bucket)
}

// PutBucketVersioning starts or suspends versions.
func (b *Backend) PutBucketVersioning(ctx context.Context, bucket string, status types.BucketVersioningStatus) error {
	return b.set(bucket, b.Posix.PutBucketVersioning(ctx, bucket, status))
}

// PutBucketAcl sets the access control list.
func (b *Backend) PutBucketAcl(ctx context.Context, bucket string, acl []byte) error {
	return b.set(bucket, b.Posix.PutBucketAcl(ctx, bucket, acl))
}

// ChangeBucketOwner sets the owner.
func (b *Backend) ChangeBucketOwner(ctx context.Context, bucket, owner string) error {
	return b.set(bucket, b.Posix.ChangeBucketOwner(ctx, bucket, owner))
}

// PutBucketPolicy sets the policy.
func (b *Backend) PutBucketPolicy(ctx context.Context, bucket string, policy []byte) error {
	return b.set(bucket, b.Posix.PutBucketPolicy(ctx, bucket, policy))
}

// DeleteBucketPolicy removes the policy.
func (b *Backend) DeleteBucketPolicy(ctx context.Context, bucket string) error {
	return b.set(bucket, b.Posix.DeleteBucketPolicy(ctx, bucket))
}

// PutBucketOwnershipControls sets who owns objects.
func (b *Backend) PutBucketOwnershipControls(ctx context.Context, bucket string, ownership types.ObjectOwnership) error {
	return b.set(bucket, b.Posix.PutBucketOwnershipControls(ctx, bucket, ownership))
}

// DeleteBucketOwnershipControls removes that setting.
func (b *Backend) DeleteBucketOwnershipControls(ctx context.Context, bucket string) error {
	return b.set(bucket, b.Posix.DeleteBucketOwnershipControls(ctx, bucket))
}

// PutBucketCors sets the CORS rules.
func (b *Backend) PutBucketCors(ctx context.Context, bucket string, cors []byte) error {
	return b.set(bucket, b.Posix.PutBucketCors(ctx, bucket, cors))
}

// DeleteBucketCors removes the CORS rules.
func (b *Backend) DeleteBucketCors(ctx context.Context, bucket string) error {
	return b.set(bucket, b.Posix.DeleteBucketCors(ctx, bucket))
}

// PutBucketWebsite sets the website configuration.
func (b *Backend) PutBucketWebsite(ctx context.Context, bucket string, website []byte) error {
	return b.set(bucket, b.Posix.PutBucketWebsite(ctx, bucket, website))
}

// DeleteBucketWebsite removes the website configuration.
func (b *Backend) DeleteBucketWebsite(ctx context.Context, bucket string) error {
	return b.set(bucket, b.Posix.DeleteBucketWebsite(ctx, bucket))
}

// PutBucketTagging sets the tags.
func (b *Backend) PutBucketTagging(ctx context.Context, bucket string, tags map[string]string) error {
	return b.set(bucket, b.Posix.PutBucketTagging(ctx, bucket, tags))
}

// DeleteBucketTagging removes the tags.
func (b *Backend) DeleteBucketTagging(ctx context.Context, bucket string) error {
	return b.set(bucket, b.Posix.DeleteBucketTagging(ctx, bucket))
}

// PutObjectLockConfiguration sets how long new objects are kept.
func (b *Backend) PutObjectLockConfiguration(ctx context.Context, bucket string, config []byte) error {
	return b.set(bucket, b.Posix.PutObjectLockConfiguration(ctx, bucket, config))
}
