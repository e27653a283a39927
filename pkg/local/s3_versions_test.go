package local_test

import (
	"testing"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/oklog/ulid/v2"

	"github.com/naksha-cloud/naksha/pkg/local/localtest"
)

func TestVersionsShowWhenTheyWereMade(t *testing.T) {
	t.Parallel()
	client := s3Client(t, localtest.Region(t, "primary"), localtest.RootAccess, localtest.RootSecret)
	makeBucket(t, client, "w-times")
	put(t, client, "w-times", "a/b", "first")
	put(t, client, "w-times", "a/b", "second")
	if err := client.RemoveObject(t.Context(), "w-times", "a/b", minio.RemoveObjectOptions{}); err != nil {
		t.Fatal(err)
	}
	listed := 0
	for v := range client.ListObjects(t.Context(), "w-times", minio.ListObjectsOptions{Recursive: true, WithVersions: true}) {
		if v.Err != nil {
			t.Fatal(v.Err)
		}
		listed++
		id, err := ulid.ParseStrict(v.VersionID)
		if err != nil {
			t.Fatalf("version id %q: %v", v.VersionID, err)
		}
		if made := ulid.Time(id.Time()).UTC().Truncate(time.Second); !v.LastModified.Equal(made) {
			t.Errorf("delete marker %v: modified %v, made %v", v.IsDeleteMarker, v.LastModified, made)
		}
	}
	if listed != 3 {
		t.Errorf("%d versions and markers, want 3", listed)
	}
}

func TestFolderMarkersAreFoundByTheirListedVersion(t *testing.T) {
	t.Parallel()
	client := s3Client(t, localtest.Region(t, "primary"), localtest.RootAccess, localtest.RootSecret)
	makeBucket(t, client, "w-markers")
	put(t, client, "w-markers", "a/", "")
	put(t, client, "w-markers", "a/b", "in it")
	found := false
	for v := range client.ListObjects(t.Context(), "w-markers", minio.ListObjectsOptions{Recursive: true, WithVersions: true}) {
		if _, err := client.StatObject(t.Context(), "w-markers", v.Key, minio.StatObjectOptions{VersionID: v.VersionID}); err != nil {
			t.Errorf("version %q of %q: %v", v.VersionID, v.Key, err)
		}
		found = found || v.Key == "a/"
	}
	if !found {
		t.Error("the marker is not listed")
	}
	for range 2 { // what is deleted already is no error
		if err := client.RemoveObject(t.Context(), "w-markers", "a/", minio.RemoveObjectOptions{}); err != nil {
			t.Errorf("delete: %v", err)
		}
	}
	absent := make(chan minio.ObjectInfo, 1)
	absent <- minio.ObjectInfo{Key: "a/"}
	close(absent)
	for refused := range client.RemoveObjects(t.Context(), "w-markers", absent, minio.RemoveObjectsOptions{}) {
		t.Errorf("delete among others: %v", refused)
	}
	if got := get(t, client, "w-markers", "a/b", ""); got != "in it" {
		t.Errorf("the object in the folder holds %q", got)
	}
}
