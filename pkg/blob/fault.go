package blob

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/minio/minio-go/v7"
	"google.golang.org/grpc/codes"

	"github.com/naksha-cloud/naksha/pkg/fault"
)

// toFault maps an S3 error (by its code, else its HTTP status) to a fault that names the bucket or key.
func toFault(err error, bucket, key string) error {
	if err == nil {
		return nil
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("reach storage for %s: %w", place(bucket, key), err)
	}
	response := minio.ToErrorResponse(err)
	if f := byCode(response.Code, place(bucket, key)); f != nil {
		return f.WithCause(err)
	}
	return byStatus(response.StatusCode, place(bucket, key)).WithCause(err)
}

// byCode knows the codes of Amazon S3's error list; nil for the others.
func byCode(code, where string) *fault.Fault {
	switch code {
	case minio.NoSuchKey, minio.NoSuchVersion, "NotFound":
		return fault.NotFound("OBJECT_NOT_FOUND", "There is no object %s.", where)
	case minio.NoSuchBucket:
		return fault.NotFound("BUCKET_NOT_FOUND", "There is no bucket for %s.", where)
	case minio.PreconditionFailed, "ConditionalRequestConflict":
		return fault.Exists("OBJECT_EXISTS", "The object %s exists already.", where)
	case minio.BucketAlreadyExists:
		return fault.Exists("BUCKET_EXISTS", "The bucket %s belongs to somebody else.", where)
	case "BucketNotEmpty":
		return fault.Precondition("BUCKET_NOT_EMPTY", "The bucket %s holds objects.", where).
			WithRemedy("Delete its objects and their versions first.")
	case minio.AccessDenied, "InvalidAccessKeyId", "SignatureDoesNotMatch":
		return denied(code, where)
	case "XAmzContentChecksumMismatch", "BadDigest", "XAmzContentSHA256Mismatch":
		return fault.New(codes.DataLoss, "OBJECT_CORRUPTED", "The bytes of %s changed on their way.", where)
	}
	return nil
}

// denied keeps apart a key that may not do this and a key that the storage does not know.
func denied(code, where string) *fault.Fault {
	if code == minio.AccessDenied {
		return fault.Denied("STORAGE_DENIED", "The key may not do this with %s.", where)
	}
	return fault.Unauthenticated("STORAGE_KEY_REFUSED", "The storage does not accept the key for %s.", where).
		WithRemedy("Replace the key.")
}

// byStatus judges errors that carry no code, such as those of HEAD requests and of proxies.
func byStatus(status int, where string) *fault.Fault {
	switch status {
	case http.StatusNotFound:
		return fault.NotFound("OBJECT_NOT_FOUND", "There is no object %s.", where)
	case http.StatusForbidden, http.StatusUnauthorized:
		return denied(minio.AccessDenied, where)
	case http.StatusPreconditionFailed, http.StatusConflict:
		return fault.Exists("OBJECT_EXISTS", "The object %s exists already.", where)
	case http.StatusBadRequest, http.StatusRequestedRangeNotSatisfiable, http.StatusMethodNotAllowed:
		return fault.Invalid("STORAGE_REQUEST_INVALID", "The storage refuses the request for %s.", where)
	default:
		return fault.Unavailable("STORAGE_UNAVAILABLE", "The object storage is not reachable at the moment.").
			WithRemedy("Try again.")
	}
}

func place(bucket, key string) string {
	if key == "" {
		return bucket
	}
	return bucket + "/" + key
}

func ignoreMissing(err error) error {
	if fault.CodeOf(err) == codes.NotFound {
		return nil
	}
	return err
}

// reachable reports whether err, of any request, still shows that the storage works and knows the key.
func reachable(err error) bool {
	switch fault.CodeOf(err) {
	case codes.OK, codes.NotFound, codes.PermissionDenied:
		return true
	default:
		return false
	}
}
