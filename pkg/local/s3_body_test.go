package local_test

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"

	"github.com/naksha-cloud/naksha/pkg/local/localtest"
)

func TestPlainClientsStoreObjectsOfEverySize(t *testing.T) {
	t.Parallel()
	region := localtest.Region(t, "primary")
	root := s3Client(t, region, localtest.RootAccess, localtest.RootSecret)
	makeBucket(t, root, "w-own")
	for _, customer := range customers(t, region, "w-own") {
		for _, size := range []int{0, 1, 65536, 5 << 20, 12 << 20} {
			key := fmt.Sprintf("%s %d", customer.name, size)
			content := randomBytes(size)
			if err := customer.put(t.Context(), key, content); err != nil {
				t.Errorf("%s: put: %v", key, err)
				continue
			}
			if got := get(t, root, "w-own", key, ""); got != string(content) {
				t.Errorf("%s: %d other bytes are stored", key, len(got))
			}
			info, err := root.StatObject(t.Context(), "w-own", key, minio.StatObjectOptions{})
			if err != nil || info.Metadata.Get("Content-Encoding") != "" {
				t.Errorf("%s: content encoding %q, %v", key, info.Metadata.Get("Content-Encoding"), err)
			}
		}
	}
}

// The sizes put the end of a chunk, its header and the trailer at every place relative to the server's buffers.
func TestChunksMayEndAnywhere(t *testing.T) {
	t.Parallel()
	region := localtest.Region(t, "primary")
	makeBucket(t, s3Client(t, region, localtest.RootAccess, localtest.RootSecret), "w-own")
	trailing := minioAt(t, region.Endpoint(), customerKey(t, region, "w-own"), transport(t, nil), true)
	for size := 128<<10 - 600; size < 128<<10+100; size += 7 {
		content := randomBytes(size)
		for _, sum := range []minio.ChecksumType{minio.ChecksumNone, minio.ChecksumCRC32C} {
			if err := minioPut(trailing, "w-own", minio.PutObjectOptions{Checksum: sum})(t.Context(), "k", content); err != nil {
				t.Fatalf("put %d bytes: %v", size, err)
			}
			if got := get(t, trailing, "w-own", "k", ""); got != string(content) {
				t.Fatalf("of %d bytes, %d others are stored", size, len(got))
			}
		}
	}
}

func TestConnectionServesOnAfterEmptyObject(t *testing.T) {
	t.Parallel()
	region := localtest.Region(t, "primary")
	makeBucket(t, s3Client(t, region, localtest.RootAccess, localtest.RootSecret), "w-own")
	var dials atomic.Int32
	client := minioAt(t, region.Endpoint(), customerKey(t, region, "w-own"), transport(t, &dials), false)
	for range 20 {
		put(t, client, "w-own", "empty", "")
		if got := get(t, client, "w-own", "empty", ""); got != "" {
			t.Errorf("the empty object holds %q", got)
		}
		put(t, client, "w-own", "full", "content")
		if n := count(client.ListObjects(t.Context(), "w-own", minio.ListObjectsOptions{})); n != 2 {
			t.Errorf("%d objects are listed", n)
		}
		wantCode(t, tryPut(t, client, "w-other", "empty", ""), "NoSuchBucket")
	}
	// A connection is closed where the rest of a body does not come within a second, which a busy machine may take.
	if n := dials.Load(); n > 3 {
		t.Errorf("%d connections were needed for 100 requests", n)
	}
}

func TestObjectKeepsItsOwnContentEncoding(t *testing.T) {
	t.Parallel()
	root := s3Client(t, localtest.Region(t, "primary"), localtest.RootAccess, localtest.RootSecret)
	makeBucket(t, root, "w-own")
	for _, size := range []int{1, 12 << 20} {
		err := minioPut(root, "w-own", minio.PutObjectOptions{ContentEncoding: "zstd", PartSize: partSize})(t.Context(), "k", make([]byte, size))
		if err != nil {
			t.Fatal(err)
		}
		info, err := root.StatObject(t.Context(), "w-own", "k", minio.StatObjectOptions{})
		if got := info.Metadata.Get("Content-Encoding"); err != nil || got != "zstd" {
			t.Errorf("%d bytes: content encoding %q, %v", size, got, err)
		}
	}
}

func TestRegionRefusesWrongTrailer(t *testing.T) {
	t.Parallel()
	region := localtest.Region(t, "primary")
	root := s3Client(t, region, localtest.RootAccess, localtest.RootSecret)
	makeBucket(t, root, "w-own")
	put(t, root, "w-own", "k", "before")
	own := customerKey(t, region, "w-own")
	for name, scramble := range map[string]func([]byte) []byte{
		"checksum": func(b []byte) []byte { return bytes.Replace(b, []byte("crc32c:"), []byte("crc32c:A"), 1) },
		"signature": func(b []byte) []byte {
			return bytes.Replace(b, []byte("trailer-signature:"), []byte("trailer-signature:0"), 1)
		},
		"content": func(b []byte) []byte { return bytes.Replace(b, []byte("after"), []byte("AFTER"), 1) },
	} {
		client := minioAt(t, region.Endpoint(), own, scrambler{transport(t, nil), scramble}, true)
		err := minioPut(client, "w-own", minio.PutObjectOptions{Checksum: minio.ChecksumCRC32C})(t.Context(), "k", []byte("after"))
		if err == nil || get(t, root, "w-own", "k", "") != "before" {
			t.Errorf("wrong %s: %v, and the object holds %q", name, err, get(t, root, "w-own", "k", ""))
		}
	}
}

// scrambler changes a body on its way, with its length as it is.
type scrambler struct {
	http.RoundTripper
	change func([]byte) []byte
}

func (s scrambler) RoundTrip(request *http.Request) (*http.Response, error) {
	if request.Body != nil {
		content, err := io.ReadAll(request.Body)
		if err != nil {
			return nil, err
		}
		changed := s.change(content)[:len(content)]
		request = request.Clone(request.Context())
		request.Body = io.NopCloser(bytes.NewReader(changed))
	}
	return s.RoundTripper.RoundTrip(request)
}

func TestBrokenUploadLeavesTheObject(t *testing.T) {
	t.Parallel()
	region := localtest.Region(t, "primary")
	root := s3Client(t, region, localtest.RootAccess, localtest.RootSecret)
	makeBucket(t, root, "w-own")
	put(t, root, "w-own", "k", "before")
	link, err := root.PresignedPutObject(t.Context(), "w-own", "k", time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	for _, head := range []string{"Content-Length: 100\r\n\r\nhalf of it", "Content-Length: 100000\r\n\r\n" + strings.Repeat("x", 50000)} {
		conn, err := net.Dial("tcp", link.Host)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(conn, "PUT %s HTTP/1.1\r\nHost: %s\r\n%s", link.RequestURI(), link.Host, head)
		if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
			t.Error(err)
		}
		answer, _ := io.ReadAll(conn) // until the server has closed
		_ = conn.Close()
		if bytes.Contains(answer, []byte(" 200 OK")) {
			t.Errorf("half an upload is answered by %s", answer)
		}
		if got := get(t, root, "w-own", "k", ""); got != "before" {
			t.Errorf("the object holds %.20q (%d bytes)", got, len(got))
		}
	}
}

func randomBytes(size int) []byte {
	content := make([]byte, size)
	_, _ = rand.NewChaCha8([32]byte{byte(size)}).Read(content)
	return content
}
