package local_test

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/minio/minio-go/v7"

	"github.com/naksha-cloud/naksha/pkg/local"
	"github.com/naksha-cloud/naksha/pkg/local/localtest"
)

func TestRegionKeepsEveryVersion(t *testing.T) {
	t.Parallel()
	root := s3Client(t, localtest.Region(t, "primary"), localtest.RootAccess, localtest.RootSecret)
	makeBucket(t, root, "versions")
	first := put(t, root, "versions", "a/b.txt", "one")
	second := put(t, root, "versions", "a/b.txt", "two")
	if first == "" || first == second {
		t.Fatalf("version ids %q and %q", first, second)
	}
	if got := get(t, root, "versions", "a/b.txt", first); got != "one" {
		t.Errorf("first version holds %q", got)
	}
	if err := root.RemoveObject(t.Context(), "versions", "a/b.txt", minio.RemoveObjectOptions{}); err != nil {
		t.Fatal(err)
	}
	var markers, versions int
	for object := range root.ListObjects(t.Context(), "versions", minio.ListObjectsOptions{WithVersions: true, Recursive: true}) {
		if object.Err != nil {
			t.Fatal(object.Err)
		}
		if object.IsDeleteMarker {
			markers++
			continue
		}
		versions++
	}
	if markers != 1 || versions != 2 {
		t.Errorf("%d delete markers and %d versions, want 1 and 2", markers, versions)
	}
}

func TestRegionRefusesOverwriteOnIfNoneMatch(t *testing.T) {
	t.Parallel()
	root := s3Client(t, localtest.Region(t, "primary"), localtest.RootAccess, localtest.RootSecret)
	makeBucket(t, root, "conditional")
	options := minio.PutObjectOptions{}
	options.SetMatchETagExcept("*")
	if _, err := root.PutObject(t.Context(), "conditional", "once", bytes.NewReader([]byte("1")), 1, options); err != nil {
		t.Fatal(err)
	}
	_, err := root.PutObject(t.Context(), "conditional", "once", bytes.NewReader([]byte("2")), 1, options)
	wantCode(t, err, "PreconditionFailed")
	if got := get(t, root, "conditional", "once", ""); got != "1" {
		t.Errorf("the object holds %q", got)
	}
}

func TestRegionConfinesUserToItsBucket(t *testing.T) {
	t.Parallel()
	region := localtest.Region(t, "primary")
	root := s3Client(t, region, localtest.RootAccess, localtest.RootSecret)
	makeBucket(t, root, "w-own")
	makeBucket(t, root, "w-other")
	put(t, root, "w-other", "secret", "x")
	key := makeUser(t, region, "own", "w-own")
	own := s3Client(t, region, *key.AccessKeyId, *key.SecretAccessKey)

	version := put(t, own, "w-own", "mine", "y")
	if got := get(t, own, "w-own", "mine", ""); got != "y" {
		t.Errorf("own object holds %q", got)
	}
	if n := count(own.ListObjects(t.Context(), "w-own", minio.ListObjectsOptions{})); n != 1 {
		t.Errorf("own bucket lists %d objects", n)
	}
	refused := map[string]func() error{
		"put into other bucket":     func() error { return tryPut(t, own, "w-other", "x", "x") },
		"get from other bucket":     func() error { return tryGet(t, own, "w-other", "secret") },
		"list other bucket":         func() error { return listError(own.ListObjects(t.Context(), "w-other", minio.ListObjectsOptions{})) },
		"make bucket":               func() error { return own.MakeBucket(t.Context(), "w-new", minio.MakeBucketOptions{}) },
		"suspend versioning":        func() error { return own.SuspendVersioning(t.Context(), "w-own") },
		"open own bucket to others": func() error { return own.SetBucketPolicy(t.Context(), "w-own", publicPolicy("w-own")) },
		"remove bucket":             func() error { return own.RemoveBucket(t.Context(), "w-own") },
		"erase a version": func() error {
			return own.RemoveObject(t.Context(), "w-own", "mine", minio.RemoveObjectOptions{VersionID: version})
		},
		"copy from other bucket": func() error {
			_, err := own.CopyObject(t.Context(), minio.CopyDestOptions{Bucket: "w-own", Object: "c"}, minio.CopySrcOptions{Bucket: "w-other", Object: "secret"})
			return err
		},
	}
	for name, attempt := range refused {
		if err := attempt(); minio.ToErrorResponse(err).Code != "AccessDenied" {
			t.Errorf("%s: %v, want AccessDenied", name, err)
		}
	}
	if buckets, err := own.ListBuckets(t.Context()); err == nil {
		for _, bucket := range buckets {
			if bucket.Name != "w-own" {
				t.Errorf("ListBuckets shows %s", bucket.Name)
			}
		}
	}
}

func TestRegionRefusesDeactivatedKeyAtOnce(t *testing.T) {
	t.Parallel()
	region := localtest.Region(t, "primary")
	makeBucket(t, s3Client(t, region, localtest.RootAccess, localtest.RootSecret), "w-own")
	key := makeUser(t, region, "own", "w-own")
	own := s3Client(t, region, *key.AccessKeyId, *key.SecretAccessKey)
	put(t, own, "w-own", "mine", "y")

	api := iamClient(region)
	used, err := api.GetAccessKeyLastUsed(t.Context(), &iam.GetAccessKeyLastUsedInput{AccessKeyId: key.AccessKeyId})
	if err != nil || aws.ToString(used.UserName) != "own" {
		t.Fatalf("last use: %+v, %v", used, err)
	}
	if _, err := api.UpdateAccessKey(t.Context(), &iam.UpdateAccessKeyInput{UserName: aws.String("own"), AccessKeyId: key.AccessKeyId, Status: types.StatusTypeInactive}); err != nil {
		t.Fatal(err)
	}
	if err := tryPut(t, own, "w-own", "mine", "z"); err == nil {
		t.Error("an inactive key still writes")
	}
	if _, err := api.DeleteAccessKey(t.Context(), &iam.DeleteAccessKeyInput{UserName: aws.String("own"), AccessKeyId: key.AccessKeyId}); err != nil {
		t.Fatal(err)
	}
	wantCode(t, tryPut(t, own, "w-own", "mine", "z"), "InvalidAccessKeyId")
}

func TestRegionKeepsDataThroughStopAndKill(t *testing.T) {
	t.Parallel()
	config := local.RegionConfig{Name: "primary", Dir: localtest.TempDir(t), RootAccess: localtest.RootAccess, RootSecret: localtest.RootSecret, SealKey: []byte(localtest.SealKey)}
	region := startRegion(t, config)
	root := s3Client(t, region, config.RootAccess, config.RootSecret)
	makeBucket(t, root, "w-own")
	key := makeUser(t, region, "own", "w-own")
	for i, end := range []func() error{func() error { return region.Stop(t.Context()) }, region.Kill} {
		name, own := fmt.Sprintf("round-%d", i), s3Client(t, region, *key.AccessKeyId, *key.SecretAccessKey)
		put(t, own, "w-own", name, name)
		if err := end(); err != nil {
			t.Fatal(err)
		}
		if err := region.Stop(t.Context()); err != nil {
			t.Errorf("second stop: %v", err)
		}
		region = startRegion(t, config)
		own = s3Client(t, region, *key.AccessKeyId, *key.SecretAccessKey)
		if got := get(t, own, "w-own", name, ""); got != name {
			t.Errorf("after the restart the object holds %q", got)
		}
	}
}
