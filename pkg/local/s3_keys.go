package local

import (
	"bufio"
	"context"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/versity/versitygw/backend"
	"github.com/versity/versitygw/s3err"
	"github.com/versity/versitygw/s3response"
)

// oneToOne lets only those keys through that the file system stores one to one. Objects are files here, so "a//b",
// "./a/b" and "a/b" would be the same file, and a write to one would silently replace another; S3 knows three keys.
type oneToOne struct{ backend.Backend }

// checkKey returns nil for a key that is stored one to one, and else a refusal that clients can show.
func checkKey(key *string) error {
	if key == nil || *key == "" {
		return nil // refused elsewhere, with S3's own words
	}
	if !utf8.ValidString(*key) || strings.ContainsRune(*key, 0) || strings.HasPrefix(*key, ".sgwtmp") {
		return refusedKey()
	}
	for segment := range strings.SplitSeq(strings.TrimSuffix(*key, "/"), "/") {
		if segment == "" || segment == "." || segment == ".." {
			return refusedKey()
		}
	}
	return nil
}

func refusedKey() error {
	return s3err.APIError{
		Code: "InvalidArgument", HTTPStatusCode: http.StatusBadRequest,
		Description: "This server cannot store the object key: it must be UTF-8 without NUL, must not begin with .sgwtmp, and no part between slashes may be empty, '.' or '..'. Choose another key.",
	}
}

// checkSource checks the key in an x-amz-copy-source, "bucket/key?versionId=…".
func checkSource(source *string) error {
	if source == nil {
		return nil
	}
	path, _, _ := strings.Cut(strings.TrimPrefix(*source, "/"), "?versionId=")
	_, key, _ := strings.Cut(path, "/")
	return checkKey(&key)
}

// PutObject checks the key and stores the object.
func (b oneToOne) PutObject(ctx context.Context, in s3response.PutObjectInput) (s3response.PutObjectOutput, error) {
	if err := checkKey(in.Key); err != nil {
		return s3response.PutObjectOutput{}, err
	}
	in.ContentEncoding = contentEncoding(in.ContentEncoding)
	return b.Backend.PutObject(ctx, in)
}

// CopyObject checks both keys and copies the object.
func (b oneToOne) CopyObject(ctx context.Context, in s3response.CopyObjectInput) (s3response.CopyObjectOutput, error) {
	if err := checkKey(in.Key); err != nil {
		return s3response.CopyObjectOutput{}, err
	}
	if err := checkSource(in.CopySource); err != nil {
		return s3response.CopyObjectOutput{}, err
	}
	endOfSecond(in.CopySourceIfModifiedSince, in.CopySourceIfUnmodifiedSince)
	return b.Backend.CopyObject(ctx, in)
}

// CreateMultipartUpload checks the key; the later calls name an upload that exists only for a key that passed.
func (b oneToOne) CreateMultipartUpload(ctx context.Context, in s3response.CreateMultipartUploadInput) (s3response.InitiateMultipartUploadResult, error) {
	if err := checkKey(in.Key); err != nil {
		return s3response.InitiateMultipartUploadResult{}, err
	}
	in.ContentEncoding = contentEncoding(in.ContentEncoding)
	return b.Backend.CreateMultipartUpload(ctx, in)
}

// UploadPartCopy checks the source's key.
func (b oneToOne) UploadPartCopy(ctx context.Context, in *s3.UploadPartCopyInput) (s3response.CopyPartResult, error) {
	if err := checkSource(in.CopySource); err != nil {
		return s3response.CopyPartResult{}, err
	}
	endOfSecond(in.CopySourceIfModifiedSince, in.CopySourceIfUnmodifiedSince)
	return b.Backend.UploadPartCopy(ctx, in)
}

// HeadObject checks the key.
func (b oneToOne) HeadObject(ctx context.Context, in *s3.HeadObjectInput) (*s3.HeadObjectOutput, error) {
	if err := checkKey(in.Key); err != nil {
		return nil, err
	}
	endOfSecond(in.IfModifiedSince, in.IfUnmodifiedSince)
	return b.Backend.HeadObject(ctx, in)
}

// GetObject checks the key.
func (b oneToOne) GetObject(ctx context.Context, in *s3.GetObjectInput) (*s3.GetObjectOutput, error) {
	if err := checkKey(in.Key); err != nil {
		return nil, err
	}
	endOfSecond(in.IfModifiedSince, in.IfUnmodifiedSince)
	return b.Backend.GetObject(ctx, in)
}

// GetObjectAttributes checks the key.
func (b oneToOne) GetObjectAttributes(ctx context.Context, in *s3.GetObjectAttributesInput) (s3response.GetObjectAttributesResponse, error) {
	if err := checkKey(in.Key); err != nil {
		return s3response.GetObjectAttributesResponse{}, err
	}
	return b.Backend.GetObjectAttributes(ctx, in)
}

// DeleteObject checks the key: deleting a key that cannot exist must not delete its namesake.
func (b oneToOne) DeleteObject(ctx context.Context, in *s3.DeleteObjectInput) (*s3.DeleteObjectOutput, error) {
	if err := checkKey(in.Key); err != nil {
		return nil, err
	}
	return b.Backend.DeleteObject(ctx, in)
}

// DeleteObjects deletes the objects with possible keys and reports each other one as refused.
func (b oneToOne) DeleteObjects(ctx context.Context, in *s3.DeleteObjectsInput) (s3response.DeleteResult, error) {
	var possible []types.ObjectIdentifier
	var refused []types.Error
	for _, object := range in.Delete.Objects {
		if err := checkKey(object.Key); err != nil {
			code, message := "InvalidArgument", "This server cannot hold such a key."
			refused = append(refused, types.Error{Key: object.Key, VersionId: object.VersionId, Code: &code, Message: &message})
			continue
		}
		possible = append(possible, object)
	}
	in.Delete.Objects = possible
	result, err := b.Backend.DeleteObjects(ctx, in)
	result.Error = append(result.Error, refused...)
	return result, err
}

// SelectObjectContent is not offered: nothing of ours uses it, and it would parse customers' files in this process.
func (b oneToOne) SelectObjectContent(context.Context, *s3.SelectObjectContentInput) func(*bufio.Writer) {
	return func(w *bufio.Writer) { _, _ = w.WriteString(s3err.GetAPIError(s3err.ErrNotImplemented).Error()) }
}
