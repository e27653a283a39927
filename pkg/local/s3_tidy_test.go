package local_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/minio/minio-go/v7"

	"github.com/naksha-cloud/naksha/pkg/local"
	"github.com/naksha-cloud/naksha/pkg/local/localtest"
)

// restarted stops a region, changes its folder as a kill at an unlucky moment would have left it, and starts it again.
func restarted(t *testing.T, region *local.Region, config local.RegionConfig, change func(dir string)) *minio.Client {
	t.Helper()
	if err := region.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	change(config.Dir)
	return s3Client(t, startRegion(t, config), config.RootAccess, config.RootSecret)
}

func sum(key string) string {
	s := sha256.Sum256([]byte(key))
	return hex.EncodeToString(s[:])
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestUploadThatWasKilledWhileItCompletedCanBeCompleted(t *testing.T) {
	t.Parallel()
	config := regionConfig(localtest.TempDir(t))
	region := startRegion(t, config)
	root := s3Client(t, region, config.RootAccess, config.RootSecret)
	makeBucket(t, root, ownBucket)
	core := minio.Core{Client: root}
	upload, err := core.NewMultipartUpload(t.Context(), ownBucket, "big", minio.PutObjectOptions{})
	must(t, err)
	content := bytes.Repeat([]byte("x"), partSize)
	part, err := core.PutObjectPart(t.Context(), ownBucket, "big", upload, 1, bytes.NewReader(content), partSize, minio.PutObjectPartOptions{})
	must(t, err)
	root = restarted(t, region, config, func(dir string) {
		uploads := filepath.Join(dir, "objects", ownBucket, ".sgwtmp", "multipart", sum("big"))
		must(t, os.Rename(filepath.Join(uploads, upload), filepath.Join(uploads, upload+"."+part.ETag+"-1.inprogress")))
		must(t, os.WriteFile(filepath.Join(uploads, "stray.1"), content, 0o600))
	})
	_, err = minio.Core{Client: root}.CompleteMultipartUpload(t.Context(), ownBucket, "big", upload, []minio.CompletePart{{PartNumber: 1, ETag: part.ETag}}, minio.PutObjectOptions{})
	must(t, err)
	if got := get(t, root, ownBucket, "big", ""); got != string(content) {
		t.Errorf("the object has %d bytes", len(got))
	}
}

func TestBucketThatWasKilledHalfMadeCanBeMade(t *testing.T) {
	t.Parallel()
	config := regionConfig(localtest.TempDir(t))
	region := startRegion(t, config)
	root := restarted(t, region, config, func(dir string) { must(t, os.Mkdir(filepath.Join(dir, "objects", ownBucket), 0o755)) })
	makeBucket(t, root, ownBucket)
}

func TestVersionThatWasCopiedAsideBeforeAKillIsOne(t *testing.T) {
	t.Parallel()
	config := regionConfig(localtest.TempDir(t))
	region := startRegion(t, config)
	root := s3Client(t, region, config.RootAccess, config.RootSecret)
	makeBucket(t, root, ownBucket)
	first := put(t, root, ownBucket, "a/b", "first")
	second := put(t, root, ownBucket, "a/b", "second")
	root = restarted(t, region, config, func(dir string) {
		name := sum("a/b")
		twin := filepath.Join(dir, "versions", ownBucket, name[:2], name[2:4], name[4:6], name, second)
		must(t, exec.Command("cp", "--preserve=all", filepath.Join(dir, "objects", ownBucket, "a/b"), twin).Run())
	})
	all := minio.ListObjectsOptions{WithVersions: true, Recursive: true}
	if n := count(root.ListObjects(t.Context(), ownBucket, all)); n != 2 {
		t.Errorf("%d versions are listed, want 2", n)
	}
	must(t, root.RemoveObject(t.Context(), ownBucket, "a/b", minio.RemoveObjectOptions{VersionID: second}))
	if got := get(t, root, ownBucket, "a/b", ""); got != "first" {
		t.Errorf("after the second version was erased the object holds %q", got)
	}
	must(t, root.RemoveObject(t.Context(), ownBucket, "a/b", minio.RemoveObjectOptions{VersionID: first}))
	if n := count(root.ListObjects(t.Context(), ownBucket, all)); n != 0 {
		t.Errorf("%d versions are left", n)
	}
}

func TestDeletedObjectComesBackWithEverything(t *testing.T) {
	t.Parallel()
	root := s3Client(t, localtest.Region(t, "primary"), localtest.RootAccess, localtest.RootSecret)
	makeBucket(t, root, ownBucket)
	options := minio.PutObjectOptions{ContentType: "text/x-test", UserMetadata: map[string]string{"Owner": "me"}, UserTags: map[string]string{"a": "b"}}
	info, err := root.PutObject(t.Context(), ownBucket, "d/k", bytes.NewReader([]byte("one")), 3, options)
	must(t, err)
	for range 2 { // the second marker is on top of the first
		must(t, root.RemoveObject(t.Context(), ownBucket, "d/k", minio.RemoveObjectOptions{}))
	}
	wantCode(t, tryGet(t, root, ownBucket, "d/k"), "NoSuchKey")
	if got := get(t, root, ownBucket, "d/k", info.VersionID); got != "one" {
		t.Errorf("the deleted version holds %q", got)
	}
	once := minio.PutObjectOptions{}
	once.SetMatchETagExcept("*")
	_, err = root.PutObject(t.Context(), ownBucket, "d/k", bytes.NewReader([]byte("new")), 3, once)
	must(t, err) // to S3 a deleted object does not exist
	var erased int
	for object := range root.ListObjects(t.Context(), ownBucket, minio.ListObjectsOptions{WithVersions: true, Recursive: true}) {
		must(t, object.Err)
		if object.VersionID != info.VersionID {
			must(t, root.RemoveObject(t.Context(), ownBucket, "d/k", minio.RemoveObjectOptions{VersionID: object.VersionID}))
			erased++
		}
	}
	stat, err := root.StatObject(t.Context(), ownBucket, "d/k", minio.StatObjectOptions{})
	if err != nil || erased != 3 || stat.VersionID != info.VersionID || stat.ETag != info.ETag || stat.ContentType != "text/x-test" || stat.UserMetadata["Owner"] != "me" || stat.UserTagCount != 1 {
		t.Errorf("after %d were erased: %+v, %v", erased, stat, err)
	}
	must(t, root.RemoveObject(t.Context(), ownBucket, "d/k", minio.RemoveObjectOptions{VersionID: info.VersionID}))
	must(t, root.RemoveBucket(t.Context(), ownBucket))
}

func TestDeletionNeverHidesAVersionThatWasWrittenMeanwhile(t *testing.T) {
	t.Parallel()
	region := localtest.Region(t, "primary")
	root := s3Client(t, region, localtest.RootAccess, localtest.RootSecret)
	makeBucket(t, root, ownBucket)
	var clients sync.WaitGroup
	written := make(chan [2]string, writers*10)
	for i := range writers {
		clients.Go(func() {
			for n := range 10 {
				if i%4 == 0 {
					if err := root.RemoveObject(t.Context(), ownBucket, "k", minio.RemoveObjectOptions{}); err != nil {
						t.Error(err)
					}
					continue
				}
				content := fmt.Sprint(i, " ", n)
				info, err := root.PutObject(t.Context(), ownBucket, "k", bytes.NewReader([]byte(content)), int64(len(content)), minio.PutObjectOptions{})
				if err != nil {
					t.Error(err)
				}
				written <- [2]string{info.VersionID, content}
			}
		})
	}
	clients.Wait()
	close(written)
	for version := range written {
		if got := get(t, root, ownBucket, "k", version[0]); got != version[1] {
			t.Errorf("version %s holds %q, want %q", version[0], got, version[1])
		}
	}
}
