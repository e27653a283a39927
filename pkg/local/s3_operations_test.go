package local_test

import (
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"
	"github.com/minio/minio-go/v7"

	"github.com/naksha-cloud/naksha/pkg/local/localtest"
)

// ownBucket is the one bucket of each test here.
const ownBucket = "w-own"

// clients returns both client libraries with a customer's key, and a bucket with three objects, each of which holds its own key.
func clients(t *testing.T) (*minio.Client, *s3.Client) {
	t.Helper()
	region := localtest.Region(t, "primary")
	makeBucket(t, s3Client(t, region, localtest.RootAccess, localtest.RootSecret), ownBucket)
	own := customerKey(t, region, ownBucket)
	client := minioAt(t, region.Endpoint(), own, transport(t, nil), false)
	for _, name := range []string{"a/1", "a/2", "b"} {
		put(t, client, ownBucket, name, name)
	}
	return client, awsAt(t, region.Endpoint(), own)
}

func TestEveryListingIsComplete(t *testing.T) {
	t.Parallel()
	client, api := clients(t)
	for want, options := range map[string]minio.ListObjectsOptions{
		"b a/":       {},
		"a/1 a/2 b":  {Recursive: true, MaxKeys: 1},
		"a/1 a/2 b ": {Recursive: true, UseV1: true, MaxKeys: 1},
		"a/2 b":      {Recursive: true, StartAfter: "a/1"},
		"a/1 a/2":    {WithVersions: true, Prefix: "a/"},
	} {
		if got := keys(t, client, options); got != strings.TrimSpace(want) {
			t.Errorf("minio-go with %+v lists %s", options, got)
		}
	}
	var listed []string
	pages := s3.NewListObjectsV2Paginator(api, &s3.ListObjectsV2Input{Bucket: aws.String(ownBucket), MaxKeys: aws.Int32(2)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, object := range page.Contents {
			listed = append(listed, *object.Key)
		}
	}
	if got := strings.Join(listed, " "); got != "a/1 a/2 b" {
		t.Errorf("aws lists %s", got)
	}
	versions, err := api.ListObjectVersions(t.Context(), &s3.ListObjectVersionsInput{Bucket: aws.String(ownBucket)})
	if err != nil || len(versions.Versions) != 3 {
		t.Errorf("aws lists %d versions, %v", len(versions.Versions), err)
	}
}

func keys(t *testing.T, client *minio.Client, options minio.ListObjectsOptions) string {
	t.Helper()
	var all []string
	for object := range client.ListObjects(t.Context(), ownBucket, options) {
		if object.Err != nil {
			t.Error(object.Err)
		}
		all = append(all, object.Key)
	}
	return strings.Join(all, " ")
}

func TestCopiesHoldWhatTheirSourcesHold(t *testing.T) {
	t.Parallel()
	client, api := clients(t)
	big := randomBytes(12 << 20)
	if err := minioPut(client, ownBucket, minio.PutObjectOptions{PartSize: partSize})(t.Context(), "big", big); err != nil {
		t.Fatal(err)
	}
	from := func(key string) minio.CopySrcOptions { return minio.CopySrcOptions{Bucket: ownBucket, Object: key} }
	to := func(key string) minio.CopyDestOptions { return minio.CopyDestOptions{Bucket: ownBucket, Object: key} }
	if _, err := client.CopyObject(t.Context(), to("minio"), from("b")); err != nil {
		t.Error(err)
	}
	if _, err := client.ComposeObject(t.Context(), to("sum"), from("big"), from("b")); err != nil {
		t.Error(err)
	}
	_, err := api.CopyObject(t.Context(), &s3.CopyObjectInput{Bucket: aws.String(ownBucket), Key: aws.String("aws"), CopySource: aws.String(ownBucket + "/b")})
	if err != nil {
		t.Error(err)
	}
	for key, want := range map[string]string{"minio": "b", "aws": "b", "sum": string(big) + "b"} {
		if got := get(t, client, ownBucket, key, ""); got != want {
			t.Errorf("%s holds %d other bytes", key, len(got))
		}
	}
}

func TestReadsMayBePartialOrConditional(t *testing.T) {
	t.Parallel()
	client, api := clients(t)
	put(t, client, ownBucket, "k", "0123456789")
	info, err := client.StatObject(t.Context(), ownBucket, "k", minio.StatObjectOptions{})
	if err != nil {
		t.Fatal(err)
	}
	tag := aws.String(`"` + info.ETag + `"`)
	for _, test := range []struct {
		name, want, code string
		in               s3.GetObjectInput
	}{
		{"whole", "0123456789", "", s3.GetObjectInput{}},
		{"range", "345", "", s3.GetObjectInput{Range: aws.String("bytes=3-5")}},
		{"suffix", "89", "", s3.GetObjectInput{Range: aws.String("bytes=-2")}},
		{"range behind the end", "", "InvalidRange", s3.GetObjectInput{Range: aws.String("bytes=99-")}},
		{"if match", "0123456789", "", s3.GetObjectInput{IfMatch: tag}},
		{"if other", "", "NotModified", s3.GetObjectInput{IfNoneMatch: tag}},
		{"if modified since", "", "NotModified", s3.GetObjectInput{IfModifiedSince: aws.Time(info.LastModified)}},
		{"if modified since before", "0123456789", "", s3.GetObjectInput{IfModifiedSince: aws.Time(info.LastModified.Add(-time.Second))}},
		{"if unmodified since", "0123456789", "", s3.GetObjectInput{IfUnmodifiedSince: aws.Time(info.LastModified)}},
		{"if unmodified since before", "", "PreconditionFailed", s3.GetObjectInput{IfUnmodifiedSince: aws.Time(info.LastModified.Add(-time.Second))}},
		{"if match of another", "", "PreconditionFailed", s3.GetObjectInput{IfMatch: aws.String(`"x"`)}},
	} {
		test.in.Bucket, test.in.Key = aws.String(ownBucket), aws.String("k")
		got, err := awsRead(t, api, &test.in)
		if code(err) != test.code || got != test.want {
			t.Errorf("%s: %q, %v", test.name, got, err)
		}
	}
}

func awsRead(t *testing.T, api *s3.Client, in *s3.GetObjectInput) (string, error) {
	t.Helper()
	out, err := api.GetObject(t.Context(), in)
	if err != nil {
		return "", err
	}
	defer out.Body.Close()
	content, err := io.ReadAll(out.Body)
	return string(content), err
}

// code is the S3 error code of an error, "" for nil.
func code(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorCode()
	}
	return minio.ToErrorResponse(err).Code
}

func TestDeletedObjectsAreHiddenAndTheirVersionsKept(t *testing.T) {
	t.Parallel()
	client, api := clients(t)
	for result := range client.RemoveObjects(t.Context(), ownBucket, client.ListObjects(t.Context(), ownBucket, minio.ListObjectsOptions{Prefix: "a/1"}), minio.RemoveObjectsOptions{}) {
		t.Errorf("minio-go: %v", result.Err)
	}
	out, err := api.DeleteObjects(t.Context(), &s3.DeleteObjectsInput{Bucket: aws.String(ownBucket), Delete: &types.Delete{
		Objects: []types.ObjectIdentifier{{Key: aws.String("a/2")}, {Key: aws.String("never was")}, {Key: aws.String("a//impossible")}},
	}})
	if err != nil || len(out.Deleted) != 2 || len(out.Errors) != 1 {
		t.Errorf("aws: %+v, %v", out, err)
	}
	if _, err := api.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: aws.String(ownBucket), Key: aws.String("b")}); err != nil {
		t.Error(err)
	}
	if got := keys(t, client, minio.ListObjectsOptions{Recursive: true}); got != "" {
		t.Errorf("%s is still listed", got)
	}
	_, err = awsRead(t, api, &s3.GetObjectInput{Bucket: aws.String(ownBucket), Key: aws.String("b")})
	if code(err) != "NoSuchKey" {
		t.Errorf("a deleted object: %v", err)
	}
	versions, err := api.ListObjectVersions(t.Context(), &s3.ListObjectVersionsInput{Bucket: aws.String(ownBucket)})
	if err != nil || len(versions.Versions) != 3 || len(versions.DeleteMarkers) != 3 {
		t.Fatalf("%+v, %v", versions, err)
	}
	for _, version := range versions.Versions {
		if got := get(t, client, ownBucket, *version.Key, *version.VersionId); got != *version.Key {
			t.Errorf("version of %s holds %q", *version.Key, got)
		}
	}
}
