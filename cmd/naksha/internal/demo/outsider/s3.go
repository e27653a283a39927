package outsider

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/url"
	"sync"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
	"golang.org/x/sync/errgroup"
)

// parallel is how many objects are moved at the same time.
const parallel = 8

// S3 is one bucket, spoken to with one access key.
type S3 struct {
	client *minio.Client
	bucket string
}

// NewS3 returns a client of a bucket. The endpoint is a URL such as http://127.0.0.1:7820.
func NewS3(endpoint, access, secret, bucket string) (S3, error) {
	u, err := url.Parse(endpoint)
	if err != nil {
		return S3{}, fmt.Errorf("S3 endpoint: %w", err)
	}
	client, err := minio.New(u.Host, &minio.Options{
		Creds: credentials.NewStaticV4(access, secret, ""), Secure: u.Scheme == "https", Region: "us-east-1", MaxRetries: 3,
	})
	if err != nil {
		return S3{}, fmt.Errorf("S3 client: %w", err)
	}
	return S3{client: client, bucket: bucket}, nil
}

// In is the same client in another bucket.
func (s S3) In(bucket string) S3 { return S3{client: s.client, bucket: bucket} }

// Put writes an object.
func (s S3) Put(ctx context.Context, key string, body []byte) error {
	_, err := s.client.PutObject(ctx, s.bucket, key, bytes.NewReader(body), int64(len(body)), minio.PutObjectOptions{
		ContentType: "application/octet-stream",
	})
	return err
}

// PutAll writes objects, several at a time.
func (s S3) PutAll(ctx context.Context, bodies map[string][]byte) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(parallel)
	for key, body := range bodies {
		group.Go(func() error {
			if err := s.Put(ctx, key, body); err != nil {
				return fmt.Errorf("put %q: %w", key, err)
			}
			return nil
		})
	}
	return group.Wait()
}

// Hash returns the SHA-256 of an object's bytes, as hex.
func (s S3) Hash(ctx context.Context, key string) (string, error) {
	object, err := s.client.GetObject(ctx, s.bucket, key, minio.GetObjectOptions{})
	if err != nil {
		return "", err
	}
	defer object.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, object); err != nil {
		return "", err
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

// Keys lists the objects that the bucket shows now.
func (s S3) Keys(ctx context.Context) ([]string, error) {
	ctx, cancel := context.WithCancel(ctx) // ends the listing when an error leaves it early
	defer cancel()
	var keys []string
	for info := range s.client.ListObjects(ctx, s.bucket, minio.ListObjectsOptions{Recursive: true}) {
		if info.Err != nil {
			return nil, info.Err
		}
		keys = append(keys, info.Key)
	}
	return keys, nil
}

// Hashes returns the SHA-256 of every object that the bucket shows now.
func (s S3) Hashes(ctx context.Context) (map[string]string, error) {
	keys, err := s.Keys(ctx)
	if err != nil {
		return nil, fmt.Errorf("list objects: %w", err)
	}
	var mu sync.Mutex
	hashes := make(map[string]string, len(keys))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(parallel)
	for _, key := range keys {
		group.Go(func() error {
			sum, err := s.Hash(ctx, key)
			if err != nil {
				return fmt.Errorf("get %q: %w", key, err)
			}
			mu.Lock()
			defer mu.Unlock()
			hashes[key] = sum
			return nil
		})
	}
	return hashes, group.Wait()
}

// Remove deletes an object; older versions of it stay where the bucket keeps them.
func (s S3) Remove(ctx context.Context, key string) error {
	return s.client.RemoveObject(ctx, s.bucket, key, minio.RemoveObjectOptions{})
}

// Buckets lists the buckets that this key may see.
func (s S3) Buckets(ctx context.Context) ([]string, error) {
	buckets, err := s.client.ListBuckets(ctx)
	var names []string
	for _, b := range buckets {
		names = append(names, b.Name)
	}
	return names, err
}

// StopVersioning asks for what would make older versions unsafe.
func (s S3) StopVersioning(ctx context.Context) error {
	return s.client.SuspendVersioning(ctx, s.bucket)
}

// DropBucket asks for the bucket's end.
func (s S3) DropBucket(ctx context.Context) error { return s.client.RemoveBucket(ctx, s.bucket) }

// S3Code is the name that S3 gives an error, such as AccessDenied; "" for none.
func S3Code(err error) string {
	if err == nil {
		return ""
	}
	return minio.ToErrorResponse(err).Code
}
