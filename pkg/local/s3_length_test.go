package local_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"

	"github.com/naksha-cloud/naksha/pkg/local/localtest"
)

const (
	decodedLength = "X-Amz-Decoded-Content-Length"
	signedChunks  = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
	lateChecksum  = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
)

func TestLengthThatLiesIsRefusedAndNeverCharged(t *testing.T) {
	t.Parallel()
	h := newHostage(t)
	root := s3Client(t, h.region, localtest.RootAccess, localtest.RootSecret)
	if err := setLimit(t, root, "100000"); err != nil {
		t.Fatal(err)
	}
	content := strings.Repeat("x", 50_000)
	upload := url.Values{"uploadId": {h.upload}, "partNumber": {"1"}}
	for payload, lengths := range map[string][]string{
		"UNSIGNED-PAYLOAD": {"-90000", "0", "1", "50000", "x"}, signedChunks: {"-90000", "-1", "x", "9223372036854775807"}, lateChecksum: {"-90000", "1.5"},
	} {
		for _, length := range lengths {
			header := map[string]string{"X-Amz-Content-Sha256": payload, decodedLength: length}
			for _, a := range []attack{{query: nil}, {query: upload}} {
				a.method, a.path, a.content, a.header = http.MethodPut, "/w-own/large", content, header
				status, body := h.send(t, &h.own, a)
				if status != http.StatusBadRequest || !strings.Contains(body, "<Code>InvalidArgument</Code>") || !strings.Contains(body, decodedLength) {
					t.Errorf("%s of %s: %d %s", payload, length, status, body)
				}
			}
		}
	}
	own := s3Client(t, h.region, h.own.access, h.own.secret)
	put(t, own, ownBucket, "a", content)
	if err := tryPut(t, own, ownBucket, "b", content); minio.ToErrorResponse(err).Code != "QuotaExceeded" {
		t.Errorf("beyond the limit: %v", err)
	}
}

// Of a link's body nothing is decoded, whatever its headers say.
func TestLinkWithADecodedLengthIsRefused(t *testing.T) {
	t.Parallel()
	h := newHostage(t)
	own := s3Client(t, h.region, h.own.access, h.own.secret)
	link, err := own.PresignedPutObject(t.Context(), "w-own", "large", time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	status, body := h.send(t, nil, attack{
		method: http.MethodPut, path: link.EscapedPath(), query: link.Query(), content: strings.Repeat("x", 50_000),
		header: map[string]string{"X-Amz-Content-Sha256": lateChecksum, decodedLength: "1"},
	})
	if status != http.StatusBadRequest || !strings.Contains(body, decodedLength) {
		t.Errorf("%d %s", status, body)
	}
	h.wantUntouched(t)
}

func TestBodiesThatAreHeldInMemoryAreBounded(t *testing.T) {
	t.Parallel()
	h := newHostage(t)
	for _, a := range []attack{
		{method: http.MethodPut, path: "/w-own", query: url.Values{"tagging": {""}}},
		{method: http.MethodPut, path: "/w-own/", query: url.Values{"policy": {""}}},
		{method: http.MethodPut, path: "/w-own/k", query: url.Values{"tagging": {""}}},
		{method: http.MethodPut, path: "/w-own/copy", header: map[string]string{"X-Amz-Copy-Source": "w-own/k"}},
		{method: http.MethodPost, path: "/w-own", query: url.Values{"delete": {""}}},
		{method: http.MethodPost, path: "/w-own/k", query: url.Values{"uploadId": {h.upload}}},
		{method: http.MethodGet, path: "/w-own/k"},
	} {
		a.announced = 5 << 20
		if status, body := h.send(t, &h.own, a); status != http.StatusBadRequest || !strings.Contains(body, "<Code>MaxMessageLengthExceeded</Code>") {
			t.Errorf("%s %s %v: %d %s", a.method, a.path, a.query, status, body)
		}
	}
	h.wantUntouched(t)
}
