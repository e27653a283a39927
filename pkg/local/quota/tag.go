package quota

import (
	"context"
	"errors"
	"maps"
	"strconv"
	"strings"

	"github.com/versity/versitygw/auth"
	"github.com/versity/versitygw/s3err"
)

// limit reads a bucket's limit; 0 is none.
func (b *Backend) limit(ctx context.Context, bucket string) (int64, error) {
	tags, err := b.Backend.GetBucketTagging(ctx, bucket)
	var refusal s3err.S3Error // no tags, or no bucket, which the write itself reports
	if err != nil && !errors.As(err, &refusal) {
		return 0, err
	}
	limit, _ := strconv.ParseInt(tags[Tag], 10, 64) // what is no number was refused when it was set
	return limit, nil
}

// PutBucketTagging sets tags. Whoever is not root keeps the limit that is set.
func (b *Backend) PutBucketTagging(ctx context.Context, bucket string, tags map[string]string) error {
	wanted, given := tags[Tag]
	if !b.isRoot(ctx) {
		old, err := b.tag(ctx, bucket)
		if err != nil {
			return err
		}
		if given && wanted != old {
			return s3err.GetAPIError(s3err.ErrAccessDenied)
		}
		if old != "" && tags != nil {
			tags = maps.Clone(tags)
			tags[Tag] = old
		} else if old != "" {
			tags = map[string]string{Tag: old}
		}
	} else if n, err := strconv.ParseInt(wanted, 10, 64); given && (err != nil || n < 0 || strings.HasPrefix(wanted, "+")) {
		return s3err.GetAPIError(s3err.ErrInvalidTagValue)
	}
	defer b.buckets.state(bucket).forgetLimit()
	return b.Backend.PutBucketTagging(ctx, bucket, tags)
}

// DeleteBucketTagging removes tags. Whoever is not root keeps the limit that is set.
func (b *Backend) DeleteBucketTagging(ctx context.Context, bucket string) error {
	return b.PutBucketTagging(ctx, bucket, nil)
}

// tag returns the limit as it is set; empty is none.
func (b *Backend) tag(ctx context.Context, bucket string) (string, error) {
	limit, err := b.limit(ctx, bucket)
	if err != nil || limit == 0 {
		return "", err
	}
	return strconv.FormatInt(limit, 10), nil
}

// isRoot tells by the account that versitygw puts into each request's context.
func (b *Backend) isRoot(ctx context.Context) bool {
	account, ok := ctx.Value("account").(auth.Account)
	return ok && account.Access == b.root
}
