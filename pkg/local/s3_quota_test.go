package local_test

import (
	"strconv"
	"strings"
	"testing"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/tags"

	"github.com/naksha-cloud/naksha/pkg/local/localtest"
	"github.com/naksha-cloud/naksha/pkg/local/quota"
)

func setLimit(t *testing.T, client *minio.Client, bytes string) error {
	t.Helper()
	limit, err := tags.NewTags(map[string]string{quota.Tag: bytes}, false)
	if err != nil {
		t.Fatal(err)
	}
	return client.SetBucketTagging(t.Context(), ownBucket, limit)
}

func TestBucketStaysWithinItsLimit(t *testing.T) {
	t.Parallel()
	config := regionConfig(localtest.TempDir(t))
	region := startRegion(t, config)
	root := s3Client(t, region, config.RootAccess, config.RootSecret)
	makeBucket(t, root, ownBucket)
	key := makeUser(t, region, "own", ownBucket)
	content := strings.Repeat("x", 40_000)
	if err := setLimit(t, root, "100000"); err != nil {
		t.Fatal(err)
	}
	own := s3Client(t, region, *key.AccessKeyId, *key.SecretAccessKey)
	put(t, own, ownBucket, "a", content)
	first := put(t, own, ownBucket, "b", content)
	wantFull := func(when string, err error) {
		t.Helper()
		if e := minio.ToErrorResponse(err); e.Code != "QuotaExceeded" || e.StatusCode != 403 || !strings.Contains(e.Message, "100000 bytes") {
			t.Errorf("%s: %v", when, err)
		}
	}
	wantFull("a third object", tryPut(t, own, ownBucket, "c", content))
	wantFull("another version", tryPut(t, own, ownBucket, "a", content))
	_, err := own.CopyObject(t.Context(), minio.CopyDestOptions{Bucket: ownBucket, Object: "copy"}, minio.CopySrcOptions{Bucket: ownBucket, Object: "a"})
	wantFull("a copy", err)
	wantFull("an upload in parts", minioPut(own, ownBucket, minio.PutObjectOptions{PartSize: partSize})(t.Context(), "parts", make([]byte, 2*partSize)))
	if err := tryPut(t, own, ownBucket, "small", "fits"); err != nil {
		t.Errorf("what fits: %v", err)
	}

	if err := region.Kill(); err != nil {
		t.Fatal(err)
	}
	region = startRegion(t, config)
	own, root = s3Client(t, region, *key.AccessKeyId, *key.SecretAccessKey), s3Client(t, region, config.RootAccess, config.RootSecret)
	wantFull("after a kill", tryPut(t, own, ownBucket, "c", content))
	if err := root.RemoveObject(t.Context(), ownBucket, "b", minio.RemoveObjectOptions{VersionID: first}); err != nil {
		t.Fatal(err)
	}
	if err := awaitPut(t, own, content); err != nil {
		t.Errorf("after a version was erased: %v", err)
	}
	wantCode(t, setLimit(t, own, "999999999"), "AccessDenied")
	if err := own.RemoveBucketTagging(t.Context(), ownBucket); err != nil {
		t.Errorf("a customer removes tags: %v", err)
	}
	wantFull("after the customer removed all tags", tryPut(t, own, ownBucket, "d", content))
	wantCode(t, setLimit(t, root, "many"), "InvalidTag")
	if err := setLimit(t, root, strconv.Itoa(1<<30)); err != nil {
		t.Fatal(err)
	}
	put(t, own, ownBucket, "d", content)
}

// awaitPut tries until the bucket was counted again.
func awaitPut(t *testing.T, client *minio.Client, content string) (err error) {
	t.Helper()
	for t.Context().Err() == nil {
		if err = tryPut(t, client, ownBucket, "c", content); minio.ToErrorResponse(err).Code != "QuotaExceeded" {
			return err
		}
	}
	return err
}
