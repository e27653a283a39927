package durable

import (
	"context"
	"errors"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/versity/versitygw/s3err"
	"github.com/versity/versitygw/s3response"
)

// DeleteObject deletes an object or a version of it, or sets a delete marker.
func (b *Backend) DeleteObject(ctx context.Context, in *s3.DeleteObjectInput) (*s3.DeleteObjectOutput, error) {
	if in.Key == nil {
		return b.Posix.DeleteObject(ctx, in) // which refuses it
	}
	bucket, key := *in.Bucket, *in.Key
	defer b.keys.lock(bucket, key)()
	if !b.marks(bucket, in) {
		defer b.folders.removal(bucket)()
	}
	if out, done, err := b.setMarker(in); done {
		return out, err
	}
	if in.VersionId != nil && *in.VersionId != "" {
		if err := b.versions.removeTwin(bucket, key, *in.VersionId); err != nil {
			return nil, err
		}
		if out, done, err := b.eraseNewest(in); done {
			return out, err
		}
	}
	out, err := b.Posix.DeleteObject(ctx, in)
	if err != nil {
		return out, err
	}
	return out, errors.Join(b.versions.syncRemoval(bucket, key), b.written(bucket, key))
}

// marks says that a deletion sets a delete marker, and removes nothing. Keys that are folders have no versions.
func (b *Backend) marks(bucket string, in *s3.DeleteObjectInput) bool {
	return (in.VersionId == nil || *in.VersionId == "") && !strings.HasSuffix(*in.Key, "/") && attributes{}.keepsVersions(bucket)
}

// deletionsAtOnce of one request: they share flushes.
const deletionsAtOnce = 16

// DeleteObjects deletes objects, each as DeleteObject does.
func (b *Backend) DeleteObjects(ctx context.Context, in *s3.DeleteObjectsInput) (s3response.DeleteResult, error) {
	outs, errs := make([]*s3.DeleteObjectOutput, len(in.Delete.Objects)), make([]error, len(in.Delete.Objects))
	var workers sync.WaitGroup
	for first := range min(deletionsAtOnce, len(outs)) {
		workers.Go(func() {
			for i := first; i < len(outs); i += deletionsAtOnce {
				o := in.Delete.Objects[i]
				outs[i], errs[i] = b.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: in.Bucket, Key: o.Key, VersionId: o.VersionId})
			}
		})
	}
	workers.Wait()
	result := s3response.DeleteResult{Deleted: []types.DeletedObject{}, Error: []types.Error{}}
	for i, o := range in.Delete.Objects {
		if errs[i] != nil {
			result.Error = append(result.Error, s3err.ObjectDeleteError(o.Key, o.VersionId, errs[i]))
			continue
		}
		deleted := types.DeletedObject{Key: o.Key, VersionId: o.VersionId, DeleteMarker: outs[i].DeleteMarker}
		if outs[i].DeleteMarker != nil && *outs[i].DeleteMarker {
			deleted.DeleteMarkerVersionId = outs[i].VersionId
		}
		result.Deleted = append(result.Deleted, deleted)
	}
	return result, nil
}
