package durable

import (
	"context"
	"errors"
	"path/filepath"
)

// marked flushes an object's attributes after a call that changed one, of the version that it named.
func (b *Backend) marked(bucket, key, version string, err error) error {
	if err != nil {
		return err
	}
	err = ifThere(syncPath(filepath.Join(bucket, key)))
	if version != "" {
		older := filepath.Join(b.versions.dir, b.versions.of(bucket, key), version)
		err = errors.Join(err, ifThere(syncPath(older)))
	}
	return err
}

// PutObjectTagging sets an object's tags.
func (b *Backend) PutObjectTagging(ctx context.Context, bucket, key, version string, tags map[string]string) error {
	return b.marked(bucket, key, version, b.Posix.PutObjectTagging(ctx, bucket, key, version, tags))
}

// DeleteObjectTagging removes an object's tags.
func (b *Backend) DeleteObjectTagging(ctx context.Context, bucket, key, version string) error {
	return b.marked(bucket, key, version, b.Posix.DeleteObjectTagging(ctx, bucket, key, version))
}

// PutObjectRetention sets until when a version is kept.
func (b *Backend) PutObjectRetention(ctx context.Context, bucket, key, version string, retention []byte) error {
	return b.marked(bucket, key, version, b.Posix.PutObjectRetention(ctx, bucket, key, version, retention))
}

// PutObjectLegalHold keeps a version until further notice, or no longer.
func (b *Backend) PutObjectLegalHold(ctx context.Context, bucket, key, version string, status bool) error {
	return b.marked(bucket, key, version, b.Posix.PutObjectLegalHold(ctx, bucket, key, version, status))
}
