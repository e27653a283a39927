package local_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"

	"github.com/naksha-cloud/naksha/pkg/local/localtest"
)

// A region serves 512 requests at once, and one key a quarter of them.
const (
	slowRequests = 520
	shareOfKey   = 128
)

// slowPut begins an upload by a link, and goes on so slowly that it is just not refused for that.
func slowPut(t *testing.T, link *url.URL) net.Conn {
	t.Helper()
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", link.Host)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_, err = fmt.Fprintf(conn, "PUT %s HTTP/1.1\r\nHost: %s\r\nContent-Length: %d\r\n\r\n%s", link.RequestURI(), link.Host, 1<<20, strings.Repeat("x", 9<<10))
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		for err == nil { // until it is closed; most tests are over before
			<-time.After(10 * time.Second)
			_, err = io.WriteString(conn, strings.Repeat("x", 100<<10))
		}
	}()
	return conn
}

func TestSlowUploadsOfOneKeyKeepNobodyElseOut(t *testing.T) {
	t.Parallel()
	region := localtest.Region(t, "primary")
	root := s3Client(t, region, localtest.RootAccess, localtest.RootSecret)
	makeBucket(t, root, "w-own")
	put(t, root, "w-own", "k", "content")
	made := customerKey(t, region, "w-own")
	own := s3Client(t, region, made.access, made.secret)
	link, err := own.PresignedPutObject(t.Context(), "w-own", "slow", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	refused := make(chan string, slowRequests)
	conns := make([]net.Conn, slowRequests)
	for i := range conns {
		conns[i] = slowPut(t, link)
		go func() {
			_ = conns[i].SetReadDeadline(time.Now().Add(localtest.Bar(20 * time.Second)))
			line, _ := bufio.NewReader(conns[i]).ReadString('\n')
			refused <- line
		}()
	}
	for range slowRequests - shareOfKey {
		if line := <-refused; !strings.Contains(line, " 503 ") {
			t.Fatalf("a slow upload is answered by %q", line)
		}
	}
	wantCode(t, tryPut(t, own, "w-own", "more", "x"), "SlowDown")
	if got := get(t, root, "w-own", "k", ""); got != "content" {
		t.Errorf("another key reads %q", got)
	}
	for _, conn := range conns {
		_ = conn.Close()
	}
	for range shareOfKey {
		<-refused
	}
	if err := awaitAnswer(t, own); err != nil {
		t.Errorf("after the slow uploads ended: %v", err)
	}
}

// awaitAnswer tries until the key has a place again.
func awaitAnswer(t *testing.T, client *minio.Client) (err error) {
	t.Helper()
	for t.Context().Err() == nil {
		if err = tryGet(t, client, "w-own", "k"); minio.ToErrorResponse(err).StatusCode != http.StatusServiceUnavailable {
			return err
		}
	}
	return err
}

func TestDownloadsThatAreNotTakenCountForTheirKey(t *testing.T) {
	t.Parallel()
	region := localtest.Region(t, "primary")
	root := s3Client(t, region, localtest.RootAccess, localtest.RootSecret)
	makeBucket(t, root, "w-own")
	put(t, root, "w-own", "k", strings.Repeat("x", 16<<20))
	made := customerKey(t, region, "w-own")
	own := s3Client(t, region, made.access, made.secret)
	link, err := own.PresignedGetObject(t.Context(), "w-own", "k", time.Hour, nil)
	if err != nil {
		t.Fatal(err)
	}
	for range shareOfKey {
		conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", link.Host)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: %s\r\n\r\n", link.RequestURI(), link.Host)
		if _, err := io.ReadFull(conn, make([]byte, 100)); err != nil { // of its header, and no more
			t.Fatal(err)
		}
	}
	wantCode(t, tryPut(t, own, "w-own", "more", "x"), "SlowDown")
	if err := tryGet(t, root, "w-own", "k"); err != nil {
		t.Errorf("another key: %v", err)
	}
}

// The bar is 30 seconds.
func TestConnectionThatSaysNothingIsClosed(t *testing.T) {
	t.Parallel()
	region := localtest.Region(t, "primary")
	root := s3Client(t, region, localtest.RootAccess, localtest.RootSecret)
	makeBucket(t, root, "w-own")
	link, err := root.PresignedPutObject(t.Context(), "w-own", "k", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	begun := strings.Repeat("x", 9<<10)
	for name, test := range map[string]struct{ endpoint, said, answer string }{
		"S3, nothing":        {region.Endpoint(), "", ""},
		"S3, half a header":  {region.Endpoint(), "GET / HTTP/1.1\r\nHost: a\r\nX-Slow: ", ""},
		"S3, half a body":    {region.Endpoint(), fmt.Sprintf("PUT %s HTTP/1.1\r\nHost: %s\r\nContent-Length: 100000\r\n\r\n%s", link.RequestURI(), link.Host, begun), "<Code>RequestTimeout</Code>"},
		"IAM, nothing":       {region.IAMEndpoint(), "", ""},
		"IAM, half a header": {region.IAMEndpoint(), "POST / HTTP/1.1\r\nHost: a\r\nX-Slow: ", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conn, err := net.Dial("tcp", strings.TrimPrefix(test.endpoint, "http://"))
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			_, _ = io.WriteString(conn, test.said)
			_ = conn.SetReadDeadline(time.Now().Add(localtest.Bar(45 * time.Second)))
			if answer, err := io.ReadAll(conn); err != nil || !strings.Contains(string(answer), test.answer) {
				t.Errorf("%q, %v", answer, err)
			}
		})
	}
}
