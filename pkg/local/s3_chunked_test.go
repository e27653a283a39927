package local_test

import (
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// An HTTP-chunked body has no length to count and is refused; the next request on its connection gets its own answer.
func TestChunkedBodyNeverAnswersForTheNextRequest(t *testing.T) {
	t.Parallel()
	client, _ := clients(t)
	write, err := client.PresignedPutObject(t.Context(), ownBucket, "k", time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	read, err := client.PresignedGetObject(t.Context(), ownBucket, "b", time.Minute, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name, method, url, body string
		status                  int
	}{
		{"upload without a length", http.MethodPut, write.String(), "content", http.StatusLengthRequired},
		{"upload with a wrong signature", http.MethodPut, write.String() + "0", strings.Repeat("x", 100<<10), http.StatusLengthRequired},
		{"unknown call", http.MethodPost, write.String(), "content", http.StatusLengthRequired},
		{"body that nobody wants", http.MethodGet, read.String(), "content", http.StatusLengthRequired},
	} {
		for try := 1; ; try++ {
			var dials atomic.Int32
			tr := transport(t, &dials)
			if status, answer := chunked(t, tr, test.method, test.url, test.body); status != test.status {
				t.Errorf("%s: %d %s", test.name, status, answer)
			}
			if status, answer := chunked(t, tr, http.MethodGet, read.String(), ""); status != http.StatusOK || answer != "b" {
				t.Errorf("after %s: %d %s", test.name, status, answer)
			}
			if n := dials.Load(); n == 1 {
				break
			} else if try == 20 { // a client that waits for 50 ms, or a server for a second, begins another one
				t.Fatalf("%s needed %d connections", test.name, n)
			}
		}
	}
}

// chunked sends a request whose body has no length.
func chunked(t *testing.T, tr http.RoundTripper, method, url, body string) (int, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if body != "" {
		request.Body, request.ContentLength = io.NopCloser(strings.NewReader(body)), -1
	}
	response, err := tr.RoundTrip(request)
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
