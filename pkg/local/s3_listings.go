package local

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/versity/versitygw/s3response"
)

// ListObjects lists objects. versitygw v1.8.0 would take the parts of unfinished uploads for objects where the prefix
// names their folder; no object's key begins so, and nothing is listed.
func (b oneToOne) ListObjects(ctx context.Context, in *s3.ListObjectsInput) (s3response.ListObjectsResult, error) {
	asked := in.MaxKeys
	in.MaxKeys = atMost(in.Prefix, asked)
	list, err := b.Backend.ListObjects(ctx, in)
	list.MaxKeys = asked
	return list, err
}

// ListObjectsV2 lists objects as ListObjects does.
func (b oneToOne) ListObjectsV2(ctx context.Context, in *s3.ListObjectsV2Input) (s3response.ListObjectsV2Result, error) {
	asked := in.MaxKeys
	in.MaxKeys = atMost(in.Prefix, asked)
	list, err := b.Backend.ListObjectsV2(ctx, in)
	list.MaxKeys = asked
	return list, err
}

// atMost is how many objects are listed: none below the reserved name.
func atMost(prefix *string, asked *int32) *int32 {
	if prefix != nil && strings.HasPrefix(*prefix, reserved) {
		return new(int32)
	}
	return asked
}
