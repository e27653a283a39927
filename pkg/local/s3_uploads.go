package local

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/versity/versitygw/s3response"
)

// CreateMultipartUpload checks the key.
func (b oneToOne) CreateMultipartUpload(ctx context.Context, in s3response.CreateMultipartUploadInput) (s3response.InitiateMultipartUploadResult, error) {
	if err := checkKey(in.Key); err != nil {
		return s3response.InitiateMultipartUploadResult{}, err
	}
	in.ContentEncoding = contentEncoding(in.ContentEncoding)
	return b.Backend.CreateMultipartUpload(ctx, in)
}

// UploadPart checks the names.
func (b oneToOne) UploadPart(ctx context.Context, in *s3.UploadPartInput) (*s3.UploadPartOutput, error) {
	if err := checkUpload(in.Key, in.UploadId); err != nil {
		return nil, err
	}
	return b.Backend.UploadPart(ctx, in)
}

// UploadPartCopy checks the names, and those of the source.
func (b oneToOne) UploadPartCopy(ctx context.Context, in *s3.UploadPartCopyInput) (s3response.CopyPartResult, error) {
	if err := checkUpload(in.Key, in.UploadId); err != nil {
		return s3response.CopyPartResult{}, err
	}
	if err := checkSource(in.CopySource); err != nil {
		return s3response.CopyPartResult{}, err
	}
	endOfSecond(in.CopySourceIfModifiedSince, in.CopySourceIfUnmodifiedSince)
	return b.Backend.UploadPartCopy(ctx, in)
}

// ListParts checks the names.
func (b oneToOne) ListParts(ctx context.Context, in *s3.ListPartsInput) (s3response.ListPartsResult, error) {
	if err := checkUpload(in.Key, in.UploadId); err != nil {
		return s3response.ListPartsResult{}, err
	}
	return b.Backend.ListParts(ctx, in)
}

// CompleteMultipartUpload checks the names.
func (b oneToOne) CompleteMultipartUpload(ctx context.Context, in *s3.CompleteMultipartUploadInput) (s3response.CompleteMultipartUploadResult, string, error) {
	if err := checkUpload(in.Key, in.UploadId); err != nil {
		return s3response.CompleteMultipartUploadResult{}, "", err
	}
	return b.Backend.CompleteMultipartUpload(ctx, in)
}

// AbortMultipartUpload checks the names.
func (b oneToOne) AbortMultipartUpload(ctx context.Context, in *s3.AbortMultipartUploadInput) error {
	if err := checkUpload(in.Key, in.UploadId); err != nil {
		return err
	}
	return b.Backend.AbortMultipartUpload(ctx, in)
}
