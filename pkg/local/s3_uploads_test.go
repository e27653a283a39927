package local_test

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/minio/minio-go/v7"
)

func TestPresignedLinksWriteAndRead(t *testing.T) {
	t.Parallel()
	client, api := clients(t)
	presign := s3.NewPresignClient(api)
	target, err := client.PresignedPutObject(t.Context(), ownBucket, "minio", time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	in := &s3.PutObjectInput{Bucket: aws.String(ownBucket), Key: aws.String("aws")}
	write, err := presign.PresignPutObject(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	read, err := presign.PresignGetObject(t.Context(), &s3.GetObjectInput{Bucket: in.Bucket, Key: in.Key})
	if err != nil {
		t.Fatal(err)
	}
	for _, content := range []string{"", "given by link"} {
		for _, link := range []string{target.String(), write.URL} {
			if status, answer := follow(t, http.MethodPut, link, content); status != http.StatusOK {
				t.Errorf("put %q: %d %s", content, status, answer)
			}
		}
		if status, answer := follow(t, http.MethodGet, read.URL, ""); status != http.StatusOK || answer != content {
			t.Errorf("get: %d %s", status, answer)
		}
		if got := get(t, client, ownBucket, "minio", ""); got != content {
			t.Errorf("the object holds %q", got)
		}
	}
	if status, answer := follow(t, http.MethodGet, strings.Replace(read.URL, "/aws?", "/b?", 1), ""); status != http.StatusForbidden {
		t.Errorf("another object by the same link: %d %s", status, answer)
	}
}

func follow(t *testing.T, method, link, content string) (int, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, link, strings.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	response, err := transport(t, nil).RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(answer)
}

func TestUploadsInPartsAreListedCompletedAndAborted(t *testing.T) {
	t.Parallel()
	client, api := clients(t)
	own := aws.String(ownBucket)
	begin := func(key string) *string {
		upload, err := api.CreateMultipartUpload(t.Context(), &s3.CreateMultipartUploadInput{Bucket: own, Key: aws.String(key)})
		if err != nil {
			t.Fatal(err)
		}
		return upload.UploadId
	}
	done, dropped := begin("done"), begin("dropped")
	var parts []types.CompletedPart
	for i, size := range []int{partSize, 0} { // the last part may be empty
		part, err := api.UploadPart(t.Context(), &s3.UploadPartInput{
			Bucket: own, Key: aws.String("done"), UploadId: done,
			PartNumber: aws.Int32(int32(i + 1)), Body: bytes.NewReader(make([]byte, size)),
		})
		if err != nil {
			t.Fatal(err)
		}
		parts = append(parts, types.CompletedPart{ETag: part.ETag, PartNumber: aws.Int32(int32(i + 1))})
	}
	if _, err := api.AbortMultipartUpload(t.Context(), &s3.AbortMultipartUploadInput{Bucket: own, Key: aws.String("dropped"), UploadId: dropped}); err != nil {
		t.Error(err)
	}
	listed, err := api.ListParts(t.Context(), &s3.ListPartsInput{Bucket: own, Key: aws.String("done"), UploadId: done})
	if err != nil || len(listed.Parts) != 2 {
		t.Errorf("parts: %+v, %v", listed, err)
	}
	uploads, err := api.ListMultipartUploads(t.Context(), &s3.ListMultipartUploadsInput{Bucket: own})
	if err != nil || len(uploads.Uploads) != 1 {
		t.Errorf("uploads: %+v, %v", uploads, err)
	}
	_, err = api.CompleteMultipartUpload(t.Context(), &s3.CompleteMultipartUploadInput{Bucket: own, Key: aws.String("done"), UploadId: done, MultipartUpload: &types.CompletedMultipartUpload{Parts: parts}})
	if err != nil {
		t.Fatal(err)
	}
	if got := get(t, client, ownBucket, "done", ""); got != string(make([]byte, partSize)) {
		t.Errorf("the object holds %d other bytes", len(got))
	}
	if got := keys(t, client, minio.ListObjectsOptions{Prefix: "d"}); got != "done" {
		t.Errorf("%s is listed", got)
	}
}
