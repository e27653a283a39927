package blob

import (
	"context"
	"io"

	"github.com/minio/minio-go/v7"
)

// partSize is the size of the parts in which PutLarge writes what is larger than MaxObject.
const partSize = 16 << 20

// PutLarge writes an object of any size from a reader of exactly size bytes: as PutReader up to MaxObject, in parts beyond.
// It is always unconditional, since conditional headers are lost on multipart uploads.
func (s *Store) PutLarge(ctx context.Context, bucket, key string, body io.Reader, size int64, o PutOptions) (Version, error) {
	o.IfNoneMatch = false
	if size <= MaxObject {
		return s.PutReader(ctx, bucket, key, body, size, o)
	}
	info, err := s.core.Client.PutObject(ctx, bucket, key, body, size, minio.PutObjectOptions{
		ContentType: o.ContentType, UserMetadata: o.Meta, PartSize: partSize, NumThreads: 1,
	})
	if err != nil {
		return Version{}, toFault(err, bucket, key)
	}
	return Version{Key: key, VersionID: info.VersionID, ETag: info.ETag, Size: info.Size, Modified: info.LastModified, Latest: true}, nil
}
