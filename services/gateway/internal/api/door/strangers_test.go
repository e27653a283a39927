package door

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	reflectionv1 "google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/naksha-cloud/naksha/pkg/clock"
	"github.com/naksha-cloud/naksha/pkg/local/localtest"
	"github.com/naksha-cloud/naksha/pkg/obs"
	"github.com/naksha-cloud/naksha/services/gateway/internal/api/call"
)

// certificate is of a server on the loopback.
func certificate(t *testing.T) *tls.Config {
	t.Helper()
	shown := httptest.NewTLSServer(nil)
	t.Cleanup(shown.Close)
	return &tls.Config{Certificates: shown.TLS.Certificates}
}

func methods(t *testing.T) *call.Registry {
	t.Helper()
	found, err := call.NewRegistry(protoregistry.GlobalFiles, protoregistry.GlobalTypes)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// watched is a connection to gRPC's own services, of which most streams end after longest.
func watched(t *testing.T, most int, longest time.Duration) *grpc.ClientConn {
	t.Helper()
	b, err := newBuiltin(methods(t))
	if err != nil {
		t.Fatal(err)
	}
	b.places, b.longest = make(chan struct{}, most), longest
	server := httptest.NewUnstartedServer(b)
	server.EnableHTTP2 = true
	server.StartTLS()
	t.Cleanup(server.Close)
	t.Cleanup(b.stop)
	conn, err := grpc.NewClient(server.Listener.Addr().String(),
		grpc.WithTransportCredentials(credentials.NewTLS(&tls.Config{InsecureSkipVerify: true}))) // the test's own certificate
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func TestStrangersHoldFewStreamsAndHealthIsStillTold(t *testing.T) {
	t.Parallel()
	conn := watched(t, 3, localtest.Patience)
	client := healthv1.NewHealthClient(conn)
	ctx, leave := context.WithCancel(t.Context())
	for range 3 {
		stream, err := client.Watch(ctx, &healthv1.HealthCheckRequest{})
		if err == nil {
			_, err = stream.Recv()
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	mirror, err := reflectionv1.NewServerReflectionClient(conn).ServerReflectionInfo(t.Context())
	if err == nil {
		_, err = mirror.Recv()
	}
	if status.Code(err) != codes.Unimplemented {
		t.Errorf("a stream too many: %v", err)
	}
	if _, err := client.Check(t.Context(), &healthv1.HealthCheckRequest{}); err != nil {
		t.Errorf("a check beside them: %v", err)
	}
	leave()
	for end := time.Now().Add(localtest.Patience); ; { // until the server has seen them leave
		stream, err := client.Watch(t.Context(), &healthv1.HealthCheckRequest{})
		if err == nil {
			_, err = stream.Recv()
		}
		if err == nil {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("places do not come back: %v", err)
		}
	}
}

func TestStreamsOfStrangersEnd(t *testing.T) {
	t.Parallel()
	conn := watched(t, 3, 300*time.Millisecond)
	watch, err := healthv1.NewHealthClient(conn).Watch(t.Context(), &healthv1.HealthCheckRequest{})
	for err == nil {
		_, err = watch.Recv()
	}
	if code := status.Code(err); code != codes.Canceled && code != codes.DeadlineExceeded {
		t.Errorf("a watch ends with %v", err)
	}
	mirror, err := reflectionv1.NewServerReflectionClient(conn).ServerReflectionInfo(t.Context())
	for err == nil {
		_, err = mirror.Recv()
	}
	if code := status.Code(err); code != codes.Canceled && code != codes.DeadlineExceeded {
		t.Errorf("reflection ends with %v", err)
	}
}

// slow is a door that gives a reply, and a handshake, five seconds, and says when a connection is over.
func slow(t *testing.T) (address string, over <-chan struct{}) {
	t.Helper()
	d, err := New(Config{MaxBytes: 1024, BodyTimeout: 2 * time.Second}, Deps{
		Pipeline: &call.Pipeline{Methods: methods(t), Timeout: time.Second}, Telemetry: obs.Discard(), Clock: clock.System(),
	})
	if err != nil {
		t.Fatal(err)
	}
	closed := make(chan struct{}, 1)
	server := d.newServer(t.Context(), certificate(t))
	server.ConnState = func(_ net.Conn, now http.ConnState) {
		if now == http.StateClosed {
			closed <- struct{}{}
		}
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- server.ServeTLS(listener, "", "") }()
	t.Cleanup(func() { _ = server.Close(); <-done })
	return listener.Addr().String(), closed
}

func connect(t *testing.T, address, protocol string) *tls.Conn {
	t.Helper()
	conn, err := tls.Dial("tcp", address, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{protocol}}) // the test's own
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(localtest.Patience))
	return conn
}

func TestWhoDoesNotReadIsCutOverHTTP1(t *testing.T) {
	t.Parallel()
	address, over := slow(t)
	conn := connect(t, address, "http/1.1")
	go func() {
		request := []byte("GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n")
		for err := error(nil); err == nil; { // more pages than any buffer holds
			_, err = conn.Write(request)
		}
	}()
	select {
	case <-over:
	case <-time.After(localtest.Patience):
		t.Error("the connection is still there")
	}
}

func TestWhoDoesNotReadIsCutOverHTTP2(t *testing.T) {
	t.Parallel()
	address, _ := slow(t)
	conn := connect(t, address, "h2")
	if _, err := io.WriteString(conn, http2.ClientPreface); err != nil {
		t.Fatal(err)
	}
	framer := http2.NewFramer(conn, conn)
	var head bytes.Buffer
	fields := hpack.NewEncoder(&head)
	for _, f := range [][2]string{{":method", "GET"}, {":scheme", "https"}, {":authority", "x"}, {":path", "/openapi.json"}} {
		if err := fields.WriteField(hpack.HeaderField{Name: f[0], Value: f[1]}); err != nil {
			t.Fatal(err)
		}
	}
	err := errors.Join(framer.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 0}), framer.WriteHeaders(
		http2.HeadersFrameParam{StreamID: 1, BlockFragment: head.Bytes(), EndStream: true, EndHeaders: true}))
	if err != nil {
		t.Fatal(err)
	}
	for {
		frame, err := framer.ReadFrame()
		if err != nil {
			t.Fatal(fmt.Errorf("before the stream was cut: %w", err))
		}
		if _, cut := frame.(*http2.RSTStreamFrame); cut {
			return
		}
	}
}
