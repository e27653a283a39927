package local_test

import (
	"crypto/sha256"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/minio/minio-go/v7/pkg/signer"

	"github.com/naksha-cloud/naksha/pkg/local"
	"github.com/naksha-cloud/naksha/pkg/local/localtest"
)

// What must not be read, and whose name must not be listed.
const otherKey, otherContent = "key-of-other", "content-of-other"

// hostage is a region with the bucket of a customer who attacks and that of another one.
type hostage struct {
	dir    string
	region *local.Region
	own    key
	upload string // the attacker's, of the object k
	before map[string]string
}

func newHostage(t *testing.T) *hostage {
	t.Helper()
	h := &hostage{dir: localtest.TempDir(t)}
	config := regionConfig(filepath.Join(h.dir, "region"))
	h.region = startRegion(t, config)
	root := s3Client(t, h.region, config.RootAccess, config.RootSecret)
	for _, bucket := range []string{"w-own", "w-other"} {
		makeBucket(t, root, bucket)
	}
	for range 2 { // the first becomes an older version
		put(t, root, "w-own", "k", "content")
		put(t, root, "w-other", otherKey, otherContent)
	}
	if err := root.SetBucketPolicy(t.Context(), "w-own", publicPolicy("w-own")); err != nil {
		t.Fatal(err)
	}
	h.own = customerKey(t, h.region, "w-own")
	upload, err := awsAt(t, h.region.Endpoint(), h.own).CreateMultipartUpload(t.Context(), &s3.CreateMultipartUploadInput{Bucket: aws.String("w-own"), Key: aws.String("k")})
	if err != nil {
		t.Fatal(err)
	}
	h.upload = *upload.UploadId
	if status, body := h.send(t, &h.own, attack{method: http.MethodPut, path: "/w-own/k", query: url.Values{"uploadId": {h.upload}, "partNumber": {"1"}}, content: "part"}); status != http.StatusOK {
		t.Fatalf("upload a part: %d %s", status, body)
	}
	h.before = h.state(t)
	return h
}

// state is every file and folder with its content, but what grows by itself.
func (h *hostage) state(t *testing.T) map[string]string {
	t.Helper()
	found := map[string]string{}
	err := fs.WalkDir(os.DirFS(h.dir), ".", func(path string, entry fs.DirEntry, err error) error {
		found[path] = ""
		if err != nil || !entry.Type().IsRegular() || strings.HasSuffix(path, ".log") || strings.Contains(path, "/iam/") {
			return err
		}
		content, err := os.ReadFile(filepath.Join(h.dir, path))
		found[path] = fmt.Sprintf("%x", sha256.Sum256(content))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// wantUntouched says that nothing was removed, made or changed.
func (h *hostage) wantUntouched(t *testing.T) {
	t.Helper()
	after := h.state(t)
	for path, content := range h.before {
		if now, there := after[path]; !there || now != content {
			t.Errorf("%s: there %v, changed %v", path, there, now != content)
		}
	}
	for path := range after {
		if _, there := h.before[path]; !there {
			t.Errorf("%s is new", path)
		}
	}
}

// attack is one request.
type attack struct {
	method, path, content string
	query                 url.Values
	header                map[string]string
	announced             int64 // bytes of content, of which only the first come
}

// send sends a request as it is, signed by the key if there is one.
func (h *hostage) send(t *testing.T, by *key, a attack) (status int, body string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), a.method, h.region.Endpoint(), strings.NewReader(a.content))
	if err != nil {
		t.Fatal(err)
	}
	if a.announced > 0 {
		body, end := io.Pipe()
		defer end.Close()
		begun := strings.NewReader(strings.Repeat("x", 9<<10)) // versitygw looks at 8 KiB before it looks at the request
		request.Body, request.ContentLength = io.NopCloser(io.MultiReader(begun, body)), a.announced
	}
	decoded, err := url.PathUnescape(a.path)
	if err != nil {
		t.Fatal(err)
	}
	request.URL = &url.URL{Scheme: "http", Host: request.URL.Host, Path: decoded, RawPath: a.path, RawQuery: a.query.Encode()}
	request.Header.Set("X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD")
	for name, value := range a.header {
		request.Header.Set(name, value)
	}
	if by != nil {
		request = signer.SignV4(*request, by.access, by.secret, "", local.S3Region)
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

// wantRefused sends requests as the attacker, and as root, whom no policy stops.
func (h *hostage) wantRefused(t *testing.T, attacks ...attack) {
	t.Helper()
	for _, by := range []*key{&h.own, {localtest.RootAccess, localtest.RootSecret}, nil} {
		for _, a := range attacks {
			status, body := h.send(t, by, a)
			if by != nil && strings.Contains(body, "SignatureDoesNotMatch") {
				t.Errorf("%+v was not tried: %s", a, body)
			}
			if status < 400 || status >= 500 && status != http.StatusNotImplemented || strings.Contains(body, otherContent) {
				t.Errorf("%+v: %d %s", a, status, body)
			}
		}
	}
}
