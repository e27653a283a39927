package local_test

import (
	"bytes"
	"context"
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/minio/minio-go/v7"
)

// writers is how many clients write to one key at once.
const writers = 8

func TestOneOfManyWritersCreatesTheObject(t *testing.T) {
	t.Parallel()
	client, api := clients(t)
	once := minio.PutObjectOptions{PartSize: partSize}
	once.SetMatchETagExcept("*")
	for name, put := range map[string]func(ctx context.Context, key string, content []byte) error{
		"minio": minioPut(client, ownBucket, once),
		"aws": func(ctx context.Context, key string, content []byte) error {
			_, err := api.PutObject(ctx, &s3.PutObjectInput{Bucket: aws.String(ownBucket), Key: &key, Body: bytes.NewReader(content), IfNoneMatch: aws.String("*")})
			return err
		},
		"aws in parts": func(ctx context.Context, key string, content []byte) error {
			return completeOnce(ctx, api, key, content)
		},
	} {
		for round := range 10 {
			key := fmt.Sprintf("%s-%d", name, round)
			winner := race(t, key, put, "PreconditionFailed")
			if got := get(t, client, ownBucket, key, ""); got != string(contentOf(winner)) {
				t.Errorf("%s: %d of the writers won, but the object holds other %d bytes", key, winner, len(got))
			}
			if got := keys(t, client, minio.ListObjectsOptions{Prefix: key, WithVersions: true}); got != key {
				t.Errorf("%s: versions %s", key, got)
			}
		}
	}
}

func TestOneOfManyWritersReplacesTheObject(t *testing.T) {
	t.Parallel()
	client, _ := clients(t)
	for round := range 10 {
		info, err := client.StatObject(t.Context(), ownBucket, "b", minio.StatObjectOptions{})
		if err != nil {
			t.Fatal(err)
		}
		unchanged := minio.PutObjectOptions{}
		unchanged.SetMatchETag(info.ETag)
		put := minioPut(client, ownBucket, unchanged)
		winner := race(t, "b", func(ctx context.Context, key string, content []byte) error {
			return put(ctx, key, append(content, byte(round)))
		}, "PreconditionFailed")
		if got := get(t, client, ownBucket, "b", ""); got != string(append(contentOf(winner), byte(round))) {
			t.Errorf("writer %d won, but the object holds other %d bytes", winner, len(got))
		}
	}
}

// race lets all writers write to the key, and returns the one that won. The others must get the code.
func race(t *testing.T, key string, put func(context.Context, string, []byte) error, wantCode string) (winner int) {
	t.Helper()
	start, results := make(chan struct{}), [writers]chan error{}
	for i := range writers {
		results[i] = make(chan error, 1)
		go func() {
			<-start
			results[i] <- put(t.Context(), key, contentOf(i))
		}()
	}
	close(start)
	winner = -1
	for i := range writers {
		switch err := <-results[i]; {
		case err == nil && winner < 0:
			winner = i
		case err == nil:
			t.Errorf("%s: writers %d and %d have both won", key, winner, i)
		case code(err) != wantCode:
			t.Errorf("%s: writer %d: %v", key, i, err)
		}
	}
	if winner < 0 {
		t.Errorf("%s: nobody has won", key)
	}
	return winner
}

// contentOf is what a writer writes.
func contentOf(writer int) []byte { return bytes.Repeat([]byte{byte('0' + writer)}, 100<<10+writer) }

func completeOnce(ctx context.Context, api *s3.Client, key string, content []byte) error {
	own := aws.String(ownBucket)
	upload, err := api.CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{Bucket: own, Key: &key})
	if err != nil {
		return err
	}
	part, err := api.UploadPart(ctx, &s3.UploadPartInput{Bucket: own, Key: &key, UploadId: upload.UploadId, PartNumber: aws.Int32(1), Body: bytes.NewReader(content)})
	if err != nil {
		return err
	}
	_, err = api.CompleteMultipartUpload(ctx, &s3.CompleteMultipartUploadInput{
		Bucket: own, Key: &key, UploadId: upload.UploadId, IfNoneMatch: aws.String("*"),
		MultipartUpload: &types.CompletedMultipartUpload{Parts: []types.CompletedPart{{ETag: part.ETag, PartNumber: aws.Int32(1)}}},
	})
	return err
}
