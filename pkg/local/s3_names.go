package local

import (
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/oklog/ulid/v2"
	"github.com/versity/versitygw/backend"
	"github.com/versity/versitygw/s3api/utils"
	"github.com/versity/versitygw/s3err"
)

// Every string of a request that becomes a part of a path is checked here, for oneToOne. versitygw v1.8.0 checks names of
// buckets; it joins ids of uploads into paths as they come, and takes any 26 characters for the id of a version.

const (
	// reserved is where uploads and unnamed files lie in a bucket. versitygw leaves folders of this name out of listings,
	// however deep they are.
	reserved = ".sgwtmp"
	// newestVersion is the id of a version that was written while a bucket kept none.
	newestVersion = "null"
	// uploadShape is what versitygw makes for ids of uploads: a UUID (RFC 9562) in lower case.
	uploadShape = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx"
)

// checkKey returns nil for a key that is stored one to one, and else a refusal that clients can show.
func checkKey(key *string) error {
	if key == nil || *key == "" {
		return nil // refused elsewhere, with S3's own words
	}
	if !utf8.ValidString(*key) || strings.ContainsRune(*key, 0) || strings.HasPrefix(*key, reserved) {
		return refusedKey()
	}
	for segment := range strings.SplitSeq(strings.TrimSuffix(*key, "/"), "/") {
		switch segment {
		case "", ".", "..", reserved:
			return refusedKey()
		}
	}
	return nil
}

func refusedKey() error {
	return s3err.APIError{
		Code: "InvalidArgument", HTTPStatusCode: http.StatusBadRequest,
		Description: "This server cannot store the object key: it must be UTF-8 without NUL, must not begin with .sgwtmp, and no part between slashes may be empty, '.', '..' or .sgwtmp. Choose another key.",
	}
}

// checkVersion refuses what cannot be the id of a version; none is none.
func checkVersion(id *string) error {
	if id == nil || *id == "" || *id == newestVersion {
		return nil
	}
	if _, err := ulid.ParseStrict(*id); err != nil {
		return s3err.GetInvalidArgumentErr(s3err.InvalidArgVersionId, *id)
	}
	return nil
}

// checkObject checks a key and the id of a version.
func checkObject(key, version *string) error {
	if err := checkKey(key); err != nil {
		return err
	}
	return checkVersion(version)
}

// checkUpload checks a key and the id of an upload, which names a folder that is read, renamed and removed.
func checkUpload(key, id *string) error {
	if err := checkKey(key); err != nil {
		return err
	}
	if id == nil || !isUpload(*id) {
		return s3err.GetNoSuchUploadErr(backend.GetStringFromPtr(id))
	}
	return nil
}

func isUpload(id string) bool {
	if len(id) != len(uploadShape) {
		return false
	}
	for i, c := range []byte(id) {
		digit := '0' <= c && c <= '9' || 'a' <= c && c <= 'f'
		if hyphen := uploadShape[i] == '-'; hyphen && c != '-' || !hyphen && !digit {
			return false
		}
	}
	return true
}

// checkSource checks an x-amz-copy-source, "bucket/key?versionId=…", decoded as storage decodes it.
func checkSource(source *string) error {
	if source == nil {
		return nil // refused elsewhere
	}
	bucket, key, version, err := backend.ParseCopySource(*source)
	if err != nil {
		return err
	}
	if !utils.IsValidBucketName(bucket) {
		return s3err.GetInvalidArgumentErr(s3err.InvalidArgCopySourceBucket, *source)
	}
	return checkObject(&key, &version)
}
