package gateway_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/encoding"
	_ "google.golang.org/grpc/encoding/gzip" // a client that compresses
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	reflectionv1 "google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/naksha-cloud/naksha/pkg/fault"
	"github.com/naksha-cloud/naksha/pkg/local/localtest"
	tenantv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/tenant/v1"
	"github.com/naksha-cloud/naksha/services/gateway"
)

func TestCompressedCallsPass(t *testing.T) {
	t.Parallel()
	if encoding.GetCompressor("gzip") == nil {
		t.Fatal("no gzip in the client")
	}
	w := newWorld(t, gateway.Deps{})
	got, err := tenantv1.NewWorkspaceServiceClient(w.dial(t, ownKey)).GetWorkspace(t.Context(),
		&tenantv1.GetWorkspaceRequest{Name: "workspaces/" + own}, grpc.UseCompressor("gzip"))
	if err != nil || got.GetWorkspace().GetName() != "workspaces/"+own {
		t.Errorf("%v, %v", got, err)
	}
}

// frame is a gRPC message as it stands in a body.
func frame(flag byte, message []byte) []byte {
	n := len(message)
	return append([]byte{flag, byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}, message...)
}

func TestOddGRPCRequestsAreAnsweredAsGRPC(t *testing.T) {
	t.Parallel()
	w := newWorld(t, gateway.Deps{})
	var bomb bytes.Buffer
	z := gzip.NewWriter(&bomb)
	if _, err := z.Write(make([]byte, 32<<20)); err != nil || z.Close() != nil {
		t.Fatal("pack")
	}
	message := []byte("\x0a\x1fworkspaces/" + own)
	for _, test := range []struct {
		name    string
		body    []byte
		headers []string
		status  string // grpc-status
		reason  string
	}{
		{"plain", frame(0, message), nil, "0", ""},
		{"empty body", nil, nil, "3", "REQUEST_MALFORMED"},
		{"cut prefix", []byte{0, 0}, nil, "3", "REQUEST_MALFORMED"},
		{"cut message", frame(0, message)[:12], nil, "3", "REQUEST_MALFORMED"},
		{"claims 4 GiB", []byte{0, 255, 255, 255, 255}, nil, "8", "REQUEST_TOO_LARGE"},
		{"odd flag", frame(7, message), nil, "3", "REQUEST_MALFORMED"},
		{"compressed by nobody knows what", frame(1, message), []string{"Grpc-Encoding", "snappy"}, "12", "ENCODING_UNSUPPORTED"},
		{"no gzip", frame(1, message), []string{"Grpc-Encoding", "gzip"}, "3", "REQUEST_MALFORMED"},
		{"bomb", frame(1, bomb.Bytes()), []string{"Grpc-Encoding", "gzip"}, "8", "REQUEST_TOO_LARGE"},
		{"JSON codec", frame(0, []byte("{}")), []string{"Content-Type", "application/grpc+json"}, "3", "CONTENT_TYPE_UNSUPPORTED"},
		{"odd timeout", frame(0, message), []string{"Grpc-Timeout", "soon"}, "3", "TIMEOUT_MALFORMED"},
		{"long timeout", frame(0, message), []string{"Grpc-Timeout", "99999999H"}, "0", ""},
		{"too long timeout", frame(0, message), []string{"Grpc-Timeout", "999999999H"}, "3", "TIMEOUT_MALFORMED"},
		{"no time at all", frame(0, message), []string{"Grpc-Timeout", "0n"}, "4", "DEADLINE_EXCEEDED"},
	} {
		r := w.request(t, "POST", "/naksha.tenant.v1.WorkspaceService/GetWorkspace", ownKey)
		r.Body = io.NopCloser(bytes.NewReader(test.body))
		r.Header.Set("Content-Type", "application/grpc")
		for i := 0; i < len(test.headers); i += 2 {
			r.Header.Set(test.headers[i], test.headers[i+1])
		}
		response, err := w.http.Do(r)
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		if _, err := io.Copy(io.Discard, response.Body); err != nil {
			t.Errorf("%s: %v", test.name, err)
		}
		_ = response.Body.Close()
		if got := response.Trailer.Get("Grpc-Status"); response.StatusCode != 200 || got != test.status {
			t.Errorf("%s: HTTP %d, grpc-status %q %s", test.name, response.StatusCode, got, response.Trailer.Get("Grpc-Message"))
		}
		if details := response.Trailer.Get("Grpc-Status-Details-Bin"); (test.reason == "") != (details == "") {
			t.Errorf("%s: details %q", test.name, details)
		}
	}
}

func TestGRPCOverHTTP1IsToldWhatItNeeds(t *testing.T) {
	t.Parallel()
	w := newWorld(t, gateway.Deps{})
	old := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: w.roots}, TLSNextProto: map[string]func(string, *tls.Conn) http.RoundTripper{}}
	t.Cleanup(old.CloseIdleConnections)
	w.http = &http.Client{Transport: old}
	r := w.request(t, "POST", "/naksha.tenant.v1.WorkspaceService/GetWorkspace", ownKey)
	r.Header.Set("Content-Type", "application/grpc")
	answer, err := w.send(r)
	if err != nil {
		t.Fatal(err)
	}
	wantProblem(t, "gRPC over HTTP/1.1", answer, 505, "HTTP2_REQUIRED")
	if answer := w.do(t, ownKey, "GET", "/v1/caller", ""); answer.status != 200 {
		t.Errorf("REST over HTTP/1.1: %d %s", answer.status, answer.text)
	}
}

func TestAServiceThatIsAwayIsNotShown(t *testing.T) {
	t.Parallel()
	w := newWorld(t, gateway.Deps{}, func(c *gateway.Config) { c.Peers["backup"] = "127.0.0.1:1" })
	answer := w.do(t, adminKey, "GET", "/v1/workspaces/"+own+"/snapshots", "")
	wantProblem(t, "absent", answer, 503, "SERVICE_UNAVAILABLE")
	if strings.Contains(answer.text, "127.0.0.1") || answer.header.Get("Retry-After") == "" {
		t.Errorf("%v %s", answer.header, answer.text)
	}
}

func TestADeadlineOfTheCallerHolds(t *testing.T) {
	t.Parallel()
	w := newWorld(t, gateway.Deps{})
	w.tenant.onCall = func(ctx context.Context, _ proto.Message) error {
		<-ctx.Done()
		return ctx.Err()
	}
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	_, err := tenantv1.NewWorkspaceServiceClient(w.dial(t, ownKey)).GetWorkspace(ctx, &tenantv1.GetWorkspaceRequest{Name: "workspaces/" + own})
	if status.Code(err) != codes.DeadlineExceeded {
		t.Errorf("got %v", err)
	}
}

func TestMetadataOfAClientDoesNotTravelOn(t *testing.T) {
	t.Parallel()
	w := newWorld(t, gateway.Deps{})
	answer := w.do(t, ownKey, "GET", "/v1/workspaces/"+own, "", "Grpc-Metadata-Naksha-Caller-Bin", "eyJrIjoiYWRtaW4ifQ",
		"Naksha-Caller-Bin", "eyJrIjoiYWRtaW4ifQ", "Naksha-Request-Id", "evil", "X-Request-Id", "good")
	if answer.status != 200 {
		t.Fatalf("%d %s", answer.status, answer.text)
	}
	for _, who := range w.tenant.calls() {
		if who.Kind != "secret" || who.RequestID != "good" {
			t.Errorf("the service saw %+v", who)
		}
	}
}

func TestRunningCallsEndBeforeTheDoorCloses(t *testing.T) {
	t.Parallel()
	w := newWorld(t, gateway.Deps{})
	arrived, proceed, stopped := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	w.tenant.onCall = func(context.Context, proto.Message) error {
		close(arrived)
		<-proceed
		return nil
	}
	answers := make(chan error, 1)
	client := tenantv1.NewWorkspaceServiceClient(w.dial(t, ownKey))
	go func() {
		_, err := client.GetWorkspace(t.Context(), &tenantv1.GetWorkspaceRequest{Name: "workspaces/" + own})
		answers <- err
	}()
	<-arrived
	address := w.door.DoorAddr()
	go func() { stopped <- w.door.Stop(context.Background()) }()
	for deadline := time.Now().Add(localtest.Patience); ; { // until the door lets nobody in any more
		conn, err := net.DialTimeout("tcp", address, time.Second)
		if err != nil {
			break
		}
		_ = conn.Close()
		if time.Now().After(deadline) {
			t.Fatal("the door stays open")
		}
	}
	close(proceed)
	if err := <-answers; err != nil {
		t.Errorf("the running call was cut: %v", err)
	}
	if err := <-stopped; err != nil {
		t.Errorf("stop: %v", err)
	}
}

func TestCallsThatDoNotEndAreCut(t *testing.T) {
	t.Parallel()
	w := newWorld(t, gateway.Deps{}, func(c *gateway.Config) { c.StopTimeout = 200 * time.Millisecond })
	arrived, release := make(chan struct{}), make(chan struct{})
	t.Cleanup(func() { close(release) })
	w.tenant.onCall = func(context.Context, proto.Message) error {
		close(arrived)
		<-release
		return nil
	}
	answers := make(chan error, 1)
	client := tenantv1.NewWorkspaceServiceClient(w.dial(t, ownKey))
	go func() {
		_, err := client.GetWorkspace(t.Context(), &tenantv1.GetWorkspaceRequest{Name: "workspaces/" + own})
		answers <- err
	}()
	<-arrived
	begin := time.Now()
	if err := w.door.Stop(context.Background()); err != nil {
		t.Errorf("stop: %v", err)
	}
	if err := <-answers; err == nil || time.Since(begin) > localtest.Bar(15*time.Second) {
		t.Errorf("got %v after %s", err, time.Since(begin))
	}
}

func TestOneAddressLeavesPlacesAtTheDoorToOthers(t *testing.T) {
	t.Parallel()
	w := newWorld(t, gateway.Deps{}, func(c *gateway.Config) { c.MaxConnectionsOfOne = 3 })
	dial := func(from string) net.Conn {
		conn, err := (&net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}).DialContext(t.Context(), "tcp", w.door.DoorAddr())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		return conn
	}
	served := func(conn net.Conn) error { // and then it may rest for minutes
		secure := tls.Client(conn, &tls.Config{RootCAs: w.roots, ServerName: "localhost"})
		if _, err := io.WriteString(secure, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"); err != nil {
			return err
		}
		_, err := secure.Read(make([]byte, 1))
		return err
	}
	for range 3 {
		if err := served(dial("127.0.0.2")); err != nil {
			t.Fatal(err)
		}
	}
	if served(dial("127.0.0.2")) == nil {
		t.Error("a fourth connection of one address is served")
	}
	if err := served(dial("127.0.0.3")); err != nil {
		t.Errorf("another address: %v", err)
	}
}

func TestASlowBodyIsCut(t *testing.T) {
	t.Parallel()
	w := newWorld(t, gateway.Deps{}, func(c *gateway.Config) { c.BodyTimeout = 300 * time.Millisecond })
	body, writer := io.Pipe()
	t.Cleanup(func() { _ = writer.Close() })
	go func() { _, _ = writer.Write([]byte(`{"displayName":`)) }()
	r := w.request(t, "POST", "/v1/workspaces", adminKey)
	r.Header.Set("Content-Type", "application/json")
	r.Body, r.ContentLength = body, -1
	answer, err := w.send(r)
	if err != nil {
		t.Fatal(err)
	}
	wantProblem(t, "slow", answer, 408, "REQUEST_TOO_SLOW")
}

func TestHealthAndReflectionAreOpen(t *testing.T) {
	t.Parallel()
	w := newWorld(t, gateway.Deps{})
	conn := w.dial(t, "")
	health, err := healthv1.NewHealthClient(conn).Check(t.Context(), &healthv1.HealthCheckRequest{Service: "naksha.tenant.v1.WorkspaceService"})
	if err != nil || health.GetStatus() != healthv1.HealthCheckResponse_SERVING {
		t.Errorf("health: %v, %v", health, err)
	}
	stream, err := reflectionv1.NewServerReflectionClient(conn).ServerReflectionInfo(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ask := func(r *reflectionv1.ServerReflectionRequest) *reflectionv1.ServerReflectionResponse {
		if err := stream.Send(r); err != nil {
			t.Fatal(err)
		}
		got, err := stream.Recv()
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	listed := ask(&reflectionv1.ServerReflectionRequest{MessageRequest: &reflectionv1.ServerReflectionRequest_ListServices{}}).String()
	if !strings.Contains(listed, "naksha.tenant.v1.KeyService") || strings.Contains(listed, "CellService") {
		t.Errorf("listed: %s", listed)
	}
	for symbol, known := range map[string]bool{
		"naksha.tenant.v1.KeyService.CreateKey": true, "naksha.tenant.v1.KeyService.AuthenticateKey": false, "naksha.tenant.v1.CellService": false,
	} {
		got := ask(&reflectionv1.ServerReflectionRequest{MessageRequest: &reflectionv1.ServerReflectionRequest_FileContainingSymbol{FileContainingSymbol: symbol}})
		if (got.GetFileDescriptorResponse() != nil) != known {
			t.Errorf("%s: %.200s", symbol, got)
		}
		if strings.Contains(got.String(), "AuthenticateKey\\022") {
			t.Errorf("%s shows an internal method", symbol)
		}
	}
	if err := stream.CloseSend(); err != nil {
		t.Error(err)
	}
}

func TestAnUnknownServiceOfHealthIsNotFound(t *testing.T) {
	t.Parallel()
	w := newWorld(t, gateway.Deps{})
	_, err := healthv1.NewHealthClient(w.dial(t, "")).Check(t.Context(), &healthv1.HealthCheckRequest{Service: "nosuch"})
	if fault.CodeOf(err) != codes.NotFound {
		t.Errorf("got %v", err)
	}
}
