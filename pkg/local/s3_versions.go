package local

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/oklog/ulid/v2"
	"github.com/versity/versitygw/s3response"
)

// ListObjectVersions tells when each version was made, in whole seconds as S3 does. Left alone, an old version would show
// the moment at which it was replaced, since it is copied aside then, and a delete marker the moment at which the deleted
// version was made, since it is that version's file. Version ids hold the truth: they are ULIDs.
func (b oneToOne) ListObjectVersions(ctx context.Context, in *s3.ListObjectVersionsInput) (s3response.ListVersionsResult, error) {
	list, err := b.Backend.ListObjectVersions(ctx, in)
	for i, v := range list.Versions {
		list.Versions[i].LastModified = madeAt(v.VersionId, v.LastModified)
	}
	for i, m := range list.DeleteMarkers {
		list.DeleteMarkers[i].LastModified = madeAt(m.VersionId, m.LastModified)
	}
	return list, err
}

// madeAt is the time inside a version id; the file's own time where the id has none.
func madeAt(version *string, file *time.Time) *time.Time {
	if version == nil {
		return file
	}
	id, err := ulid.ParseStrict(*version)
	if err != nil {
		return file
	}
	made := ulid.Time(id.Time()).UTC().Truncate(time.Second)
	return &made
}
