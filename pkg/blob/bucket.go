package blob

import (
	"context"

	"github.com/minio/minio-go/v7"
)

// MakeBucket makes a bucket; one that the key's owner has already is no error.
func (s *Store) MakeBucket(ctx context.Context, bucket string) error {
	ctx, cancel := limit(ctx, askDeadline)
	defer cancel()
	err := s.core.MakeBucket(ctx, bucket, minio.MakeBucketOptions{Region: s.region})
	if minio.ToErrorResponse(err).Code == minio.BucketAlreadyOwnedByYou {
		return nil
	}
	return toFault(err, bucket, "")
}

// BucketExists reports whether the bucket is there.
func (s *Store) BucketExists(ctx context.Context, bucket string) (bool, error) {
	ctx, cancel := limit(ctx, askDeadline)
	defer cancel()
	ok, err := s.core.BucketExists(ctx, bucket)
	return ok, toFault(err, bucket, "")
}

// EnableVersioning keeps every version of the bucket's objects from now on; a second call changes nothing.
func (s *Store) EnableVersioning(ctx context.Context, bucket string) error {
	ctx, cancel := limit(ctx, askDeadline)
	defer cancel()
	return toFault(s.core.EnableVersioning(ctx, bucket), bucket, "")
}

// DeleteBucket removes an empty bucket; one that is not there is no error. FailedPrecondition: it holds objects.
func (s *Store) DeleteBucket(ctx context.Context, bucket string) error {
	ctx, cancel := limit(ctx, askDeadline)
	defer cancel()
	return ignoreMissing(toFault(s.core.RemoveBucket(ctx, bucket), bucket, ""))
}

// Buckets lists the names of the buckets that the key may see.
func (s *Store) Buckets(ctx context.Context) ([]string, error) {
	ctx, cancel := limit(ctx, askDeadline)
	defer cancel()
	found, err := s.core.ListBuckets(ctx)
	if err != nil {
		return nil, toFault(err, "", "")
	}
	names := make([]string, len(found))
	for i, b := range found {
		names[i] = b.Name
	}
	return names, nil
}
