package quota

import (
	"context"
	"io"
	"net/http"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/versity/versitygw/backend"
	"github.com/versity/versitygw/s3err"
	"github.com/versity/versitygw/s3response"
)

// Tag of a bucket holds its limit in bytes, as decimal digits. No tag is no limit.
const Tag = "naksha-quota-bytes"

// mostDrained in bytes is what is read of a refused body. A client that is still sending would see a broken connection in
// place of the answer.
const mostDrained = 64 << 20

// Backend refuses what would exceed a bucket's limit, with 403 QuotaExceeded, and passes everything else on.
type Backend struct {
	backend.Backend
	root    string
	buckets *buckets
}

// New limits the buckets of next. Older is the folder of older versions; root is the access key id that may set limits.
func New(next backend.Backend, older, root string) *Backend {
	return &Backend{Backend: next, root: root, buckets: &buckets{older: older, states: map[string]*state{}}}
}

// charge counts size bytes that are about to be written. The caller tells refund whether they were not.
func (b *Backend) charge(ctx context.Context, bucket string, size int64) (refund func(error), err error) {
	s := b.buckets.state(bucket)
	if err := s.know(func() (int64, error) { return b.limit(ctx, bucket) }); err != nil {
		return nil, err
	}
	if limit, used, ok := s.take(size); !ok {
		return nil, exceeded(limit, used)
	}
	return func(err error) {
		if err != nil {
			s.add(-size)
		}
	}, nil
}

func exceeded(limit, used int64) error {
	return s3err.APIError{
		Code: "QuotaExceeded", HTTPStatusCode: http.StatusForbidden,
		Description: "The bucket may hold " + strconv.FormatInt(limit, 10) + " bytes, older versions and unfinished uploads included, and holds " +
			strconv.FormatInt(used, 10) + ". Delete objects, versions and uploads, or ask for a larger plan.",
	}
}

// PutObject stores an object within the limit.
func (b *Backend) PutObject(ctx context.Context, in s3response.PutObjectInput) (s3response.PutObjectOutput, error) {
	refund, err := b.charge(ctx, *in.Bucket, value(in.ContentLength))
	if err != nil {
		drain(in.Body)
		return s3response.PutObjectOutput{}, err
	}
	out, err := b.Backend.PutObject(ctx, in)
	refund(err)
	if out.VersionID == "" {
		b.buckets.state(*in.Bucket).freed() // it may have replaced another
	}
	return out, err
}

func drain(body io.Reader) {
	if body != nil {
		_, _ = io.CopyN(io.Discard, body, mostDrained) // its errors are the client's own
	}
}

// CopyObject copies an object within the limit.
func (b *Backend) CopyObject(ctx context.Context, in s3response.CopyObjectInput) (s3response.CopyObjectOutput, error) {
	refund, err := b.charge(ctx, *in.Bucket, b.sizeOf(ctx, *in.CopySource))
	if err != nil {
		return s3response.CopyObjectOutput{}, err
	}
	out, err := b.Backend.CopyObject(ctx, in)
	refund(err)
	b.buckets.state(*in.Bucket).freed()
	return out, err
}

// UploadPart stores a part within the limit.
func (b *Backend) UploadPart(ctx context.Context, in *s3.UploadPartInput) (*s3.UploadPartOutput, error) {
	refund, err := b.charge(ctx, *in.Bucket, value(in.ContentLength))
	if err != nil {
		drain(in.Body)
		return nil, err
	}
	out, err := b.Backend.UploadPart(ctx, in)
	refund(err)
	b.buckets.state(*in.Bucket).freed() // it may have replaced another
	return out, err
}

// UploadPartCopy stores a part of another object within the limit.
func (b *Backend) UploadPartCopy(ctx context.Context, in *s3.UploadPartCopyInput) (s3response.CopyPartResult, error) {
	_, size, err := backend.ParseCopySourceRange(b.sizeOf(ctx, *in.CopySource), value(in.CopySourceRange))
	if err != nil {
		return s3response.CopyPartResult{}, err
	}
	refund, err := b.charge(ctx, *in.Bucket, size)
	if err != nil {
		return s3response.CopyPartResult{}, err
	}
	out, err := b.Backend.UploadPartCopy(ctx, in)
	refund(err)
	return out, err
}

// sizeOf returns the size of a copy's source; of one that does not exist, 0: the copy itself reports it.
func (b *Backend) sizeOf(ctx context.Context, source string) int64 {
	bucket, key, version, err := backend.ParseCopySource(source)
	if err != nil {
		return 0
	}
	in := &s3.HeadObjectInput{Bucket: &bucket, Key: &key}
	if version != "" {
		in.VersionId = &version
	}
	out, err := b.Backend.HeadObject(ctx, in)
	if err != nil {
		return 0
	}
	return value(out.ContentLength)
}

// CompleteMultipartUpload passes on: the parts are counted, and make room for the object.
func (b *Backend) CompleteMultipartUpload(ctx context.Context, in *s3.CompleteMultipartUploadInput) (s3response.CompleteMultipartUploadResult, string, error) {
	defer b.buckets.state(*in.Bucket).freed()
	return b.Backend.CompleteMultipartUpload(ctx, in)
}

// value is what p points to, or zero.
func value[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}
