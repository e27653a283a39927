package blob_test

import (
	"bytes"
	"context"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"

	"github.com/naksha-cloud/naksha/pkg/blob"
	"github.com/naksha-cloud/naksha/pkg/fault"
	"github.com/naksha-cloud/naksha/pkg/local/localtest"
)

func TestMain(m *testing.M) { os.Exit(localtest.NoLeaks(localtest.Run(m))) }

const bucket = "naksha-test"

func open(t *testing.T, endpoint string) *blob.Store {
	t.Helper()
	s, err := blob.Open(blob.Config{Endpoint: endpoint, AccessKey: localtest.RootAccess, SecretKey: localtest.RootSecret})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// store is a Store with a versioned bucket.
func store(t *testing.T) *blob.Store {
	t.Helper()
	s := open(t, localtest.Region(t, "primary").Endpoint())
	for range 2 { // both are idempotent
		must(t, s.MakeBucket(t.Context(), bucket))
		must(t, s.EnableVersioning(t.Context(), bucket))
	}
	return s
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func put(t *testing.T, s *blob.Store, key, content string) blob.Version {
	t.Helper()
	v, err := s.Put(t.Context(), bucket, key, []byte(content), blob.PutOptions{})
	must(t, err)
	return v
}

func wantCode(t *testing.T, err error, code codes.Code, reason string) {
	t.Helper()
	if fault.CodeOf(err) != code || fault.ReasonOf(err) != reason {
		t.Errorf("error = %v, want %v %s", err, code, reason)
	}
}

func TestEveryVersionStaysReadable(t *testing.T) {
	t.Parallel()
	s := store(t)
	first, second := put(t, s, "dir/a", "one"), put(t, s, "dir/a", "second")
	put(t, s, "dir/b", "")
	if first.VersionID == "" || first.VersionID == second.VersionID || first.ETag == "" {
		t.Errorf("versions %+v and %+v", first, second)
	}
	for version, want := range map[string]string{first.VersionID: "one", second.VersionID: "second", "": "second"} {
		if got, err := s.ReadAll(t.Context(), bucket, "dir/a", version); err != nil || string(got) != want {
			t.Errorf("version %q = %q, %v; want %q", version, got, err, want)
		}
	}
	must(t, s.Delete(t.Context(), bucket, "dir/a", ""))
	_, err := s.ReadAll(t.Context(), bucket, "dir/a", "")
	wantCode(t, err, codes.NotFound, "OBJECT_NOT_FOUND")
	if got := keys(t, s, false); got != "dir/b" {
		t.Errorf("latest = %q", got)
	}
	if got := keys(t, s, true); got != "dir/a(marker) dir/a dir/a dir/b" {
		t.Errorf("all versions = %q", got)
	}
}

// keys lists the bucket, latest versions or all.
func keys(t *testing.T, s *blob.Store, all bool) string {
	t.Helper()
	list := s.List
	if all {
		list = s.ListVersions
	}
	var names []string
	for v, err := range list(t.Context(), bucket, "dir/") {
		must(t, err)
		name := v.Key
		if v.DeleteMarker {
			name += "(marker)"
		}
		if !all && !v.Latest {
			t.Errorf("%s is not the latest", v.Key)
		}
		names = append(names, name)
	}
	return strings.Join(names, " ")
}

func TestMetadataAndSizeAreKept(t *testing.T) {
	t.Parallel()
	s, body := store(t), bytes.Repeat([]byte("0123456789abcdef"), 1<<17) // 2 MiB
	_, err := s.PutReader(t.Context(), bucket, "big", bytes.NewReader(body), int64(len(body)),
		blob.PutOptions{ContentType: "text/x-test", Meta: map[string]string{"origin": "wal"}})
	must(t, err)
	v, err := s.Stat(t.Context(), bucket, "big", "")
	must(t, err)
	if v.Size != int64(len(body)) || v.ContentType != "text/x-test" || v.Meta["origin"] != "wal" || v.Modified.IsZero() {
		t.Errorf("stat = %+v", v)
	}
	r, opened, err := s.Open(t.Context(), bucket, "big", v.VersionID)
	must(t, err)
	if opened.Size != v.Size || opened.ETag != v.ETag || opened.ContentType != v.ContentType || opened.Meta["origin"] != "wal" {
		t.Errorf("opened = %+v, stat = %+v", opened, v)
	}
	got, err := io.ReadAll(r)
	must(t, err)
	must(t, r.Close())
	if !bytes.Equal(got, body) {
		t.Error("the bytes changed")
	}
}

func TestConditionalPutKeepsTheFirst(t *testing.T) {
	t.Parallel()
	s, once := store(t), blob.PutOptions{IfNoneMatch: true}
	_, err := s.Put(t.Context(), bucket, "k", []byte("first"), once)
	must(t, err)
	_, err = s.Put(t.Context(), bucket, "k", []byte("second"), once)
	wantCode(t, err, codes.AlreadyExists, "OBJECT_EXISTS")
	if got, err := s.ReadAll(t.Context(), bucket, "k", ""); err != nil || string(got) != "first" {
		t.Errorf("object = %q, %v", got, err)
	}
}

func TestErrorsAreFaults(t *testing.T) {
	t.Parallel()
	s := store(t)
	put(t, s, "k", "v")
	_, err := s.Stat(t.Context(), bucket, "absent", "")
	wantCode(t, err, codes.NotFound, "OBJECT_NOT_FOUND")
	_, err = s.ReadAll(t.Context(), "naksha-absent", "k", "")
	wantCode(t, err, codes.NotFound, "BUCKET_NOT_FOUND")
	for _, err := range s.List(t.Context(), "naksha-absent", "") {
		wantCode(t, err, codes.NotFound, "BUCKET_NOT_FOUND")
	}
	if names, err := s.Buckets(t.Context()); err != nil || len(names) != 1 || names[0] != bucket {
		t.Errorf("buckets = %v, %v", names, err)
	}
	wantCode(t, s.DeleteBucket(t.Context(), bucket), codes.FailedPrecondition, "BUCKET_NOT_EMPTY")
	must(t, s.DeleteBucket(t.Context(), "naksha-absent"))
	must(t, s.Delete(t.Context(), bucket, "absent", ""))
	_, err = s.PutReader(t.Context(), bucket, "k", strings.NewReader(""), blob.MaxObject+1, blob.PutOptions{})
	wantCode(t, err, codes.InvalidArgument, "OBJECT_TOO_LARGE")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = s.Stat(ctx, bucket, "k", "")
	wantCode(t, err, codes.Canceled, "CANCELED")
}

func TestReplacedKeyIsUsedAtOnce(t *testing.T) {
	t.Parallel()
	s := store(t)
	must(t, s.Ready(t.Context()))
	s.SetCredentials(localtest.RootAccess, "wrong")
	wantCode(t, s.Ready(t.Context()), codes.Unauthenticated, "STORAGE_KEY_REFUSED")
	_, err := s.Put(t.Context(), bucket, "k", nil, blob.PutOptions{})
	wantCode(t, err, codes.Unauthenticated, "STORAGE_KEY_REFUSED")
	s.SetCredentials(localtest.RootAccess, localtest.RootSecret)
	must(t, s.Ready(t.Context()))
	put(t, s, "k", "v")
}

func TestMissingStorageIsUnavailableSoon(t *testing.T) {
	t.Parallel()
	s := open(t, "http://127.0.0.1:1")
	began := time.Now()
	wantCode(t, s.Ready(t.Context()), codes.Unavailable, "STORAGE_UNAVAILABLE")
	_, err := s.Put(t.Context(), bucket, "k", []byte("v"), blob.PutOptions{})
	wantCode(t, err, codes.Unavailable, "STORAGE_UNAVAILABLE")
	if waited := time.Since(began); waited > localtest.Bar(10*time.Second) {
		t.Errorf("took %v to say so", waited)
	}
}

func TestMalformedEndpointIsRefused(t *testing.T) {
	t.Parallel()
	for _, endpoint := range []string{"", "127.0.0.1:9000", "ftp://x", "http://", "http://[::1"} {
		if _, err := blob.Open(blob.Config{Endpoint: endpoint}); err == nil {
			t.Errorf("accepted %q", endpoint)
		}
	}
}
