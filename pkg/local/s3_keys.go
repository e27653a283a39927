package local

import (
	"bufio"
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/versity/versitygw/backend"
	"github.com/versity/versitygw/s3err"
	"github.com/versity/versitygw/s3response"
)

// oneToOne lets only those keys through that the file system stores one to one. Objects are files here, so "a//b",
// "./a/b" and "a/b" would be the same file, and a write to one would silently replace another; S3 knows three keys. It
// lets no name through that leads out of its bucket.
type oneToOne struct{ backend.Backend }

// PutObject checks the key and stores the object.
func (b oneToOne) PutObject(ctx context.Context, in s3response.PutObjectInput) (s3response.PutObjectOutput, error) {
	if err := checkKey(in.Key); err != nil {
		return s3response.PutObjectOutput{}, err
	}
	in.ContentEncoding = contentEncoding(in.ContentEncoding)
	return b.Backend.PutObject(ctx, in)
}

// CopyObject checks all names and copies the object.
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

// HeadObject checks the names. A folder marker (a key that ends in a slash) is one version, "null", which versitygw v1.8.0
// lists and hands out, but does not find here.
func (b oneToOne) HeadObject(ctx context.Context, in *s3.HeadObjectInput) (*s3.HeadObjectOutput, error) {
	if err := checkObject(in.Key, in.VersionId); err != nil {
		return nil, err
	}
	if in.VersionId != nil && *in.VersionId == newestVersion && in.Key != nil && strings.HasSuffix(*in.Key, "/") {
		in.VersionId = nil
	}
	endOfSecond(in.IfModifiedSince, in.IfUnmodifiedSince)
	return b.Backend.HeadObject(ctx, in)
}

// GetObject checks the names, and keeps an eye on how the content is taken.
func (b oneToOne) GetObject(ctx context.Context, in *s3.GetObjectInput) (*s3.GetObjectOutput, error) {
	if err := checkObject(in.Key, in.VersionId); err != nil {
		return nil, err
	}
	endOfSecond(in.IfModifiedSince, in.IfUnmodifiedSince)
	out, err := b.Backend.GetObject(ctx, in)
	if err == nil && out.Body != nil {
		out.Body = send(ctx, out.Body)
	}
	return out, err
}

// GetObjectAttributes checks the names.
func (b oneToOne) GetObjectAttributes(ctx context.Context, in *s3.GetObjectAttributesInput) (s3response.GetObjectAttributesResponse, error) {
	if err := checkObject(in.Key, in.VersionId); err != nil {
		return s3response.GetObjectAttributesResponse{}, err
	}
	return b.Backend.GetObjectAttributes(ctx, in)
}

// DeleteObject checks the names: deleting a key that cannot exist must not delete its namesake. A folder marker that is not
// there is deleted already, whatever lies in its folder.
func (b oneToOne) DeleteObject(ctx context.Context, in *s3.DeleteObjectInput) (*s3.DeleteObjectOutput, error) {
	if err := checkObject(in.Key, in.VersionId); err != nil {
		return nil, err
	}
	out, err := b.Backend.DeleteObject(ctx, in)
	if errors.Is(err, s3err.GetAPIError(s3err.ErrDirectoryNotEmpty)) {
		return &s3.DeleteObjectOutput{}, nil
	}
	return out, err
}

// DeleteObjects deletes the objects with possible names, as DeleteObject does, and reports each other one as refused.
func (b oneToOne) DeleteObjects(ctx context.Context, in *s3.DeleteObjectsInput) (s3response.DeleteResult, error) {
	var possible []types.ObjectIdentifier
	var refused []types.Error
	for _, object := range in.Delete.Objects {
		if err := checkObject(object.Key, object.VersionId); err != nil {
			refused = append(refused, s3err.ObjectDeleteError(object.Key, object.VersionId, err))
			continue
		}
		possible = append(possible, object)
	}
	in.Delete.Objects = possible
	result, err := b.Backend.DeleteObjects(ctx, in)
	result.Error = slices.DeleteFunc(result.Error, func(e types.Error) bool {
		absent := e.Code != nil && *e.Code == s3err.GetAPIError(s3err.ErrDirectoryNotEmpty).Code
		if absent {
			result.Deleted = append(result.Deleted, types.DeletedObject{Key: e.Key})
		}
		return absent
	})
	result.Error = append(result.Error, refused...)
	return result, err
}

// SelectObjectContent is not offered: nothing of ours uses it, and it would parse customers' files in this process.
func (b oneToOne) SelectObjectContent(context.Context, *s3.SelectObjectContentInput) func(*bufio.Writer) {
	return func(w *bufio.Writer) { _, _ = w.WriteString(s3err.GetAPIError(s3err.ErrNotImplemented).Error()) }
}
