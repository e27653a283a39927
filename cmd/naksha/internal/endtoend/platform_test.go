package endtoend

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"

	"github.com/naksha-cloud/naksha/cmd/naksha/internal/cli"
	"github.com/naksha-cloud/naksha/cmd/naksha/internal/up"
	"github.com/naksha-cloud/naksha/pkg/local/localtest"
)

func TestMain(m *testing.M) {
	code := localtest.Run(m)
	if err := errors.Join(shared.stop(), programs.Remove()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = max(code, 1)
	}
	os.Exit(code)
}

// world is the platform that the tests share.
type world struct {
	once      sync.Once
	dir       string
	platform  *up.Platform // nil for one that runs as a process of its own
	endpoints up.Endpoints
	took      time.Duration
	err       error
}

var shared world

// start returns the shared platform, started by the first call.
func start(t *testing.T) *world {
	t.Helper()
	shared.once.Do(func() {
		shared.dir, shared.err = os.MkdirTemp("", "nk-e2e-")
		if shared.err == nil {
			shared.err = os.Chmod(shared.dir, 0o711)
		}
		if shared.err == nil {
			shared.platform, shared.err = newPlatform(shared.dir)
		}
		if shared.err == nil {
			begin := time.Now()
			shared.err = shared.platform.Start(context.Background())
			shared.took = time.Since(begin)
		}
		if shared.err == nil {
			shared.endpoints = shared.platform.Endpoints()
		}
	})
	if shared.err != nil {
		log, _ := os.ReadFile(filepath.Join(shared.dir, up.LogFile))
		t.Fatalf("%v\n%s", shared.err, tail(log, 40))
	}
	return &shared
}

func tail(log []byte, lines int) string {
	all := strings.Split(strings.TrimSpace(string(log)), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}

// newPlatform is a stopped platform on dir with free ports, which logs there.
func newPlatform(dir string) (*up.Platform, error) {
	if err := os.MkdirAll(dir, 0o711); err != nil {
		return nil, err
	}
	log, err := os.OpenFile(filepath.Join(dir, up.LogFile), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	return up.New(up.Config{Dir: dir, Log: log, Slots: 4, Version: "test"})
}

func (w *world) stop() error {
	if w.platform == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), localtest.Patience)
	defer cancel()
	if err := w.platform.Stop(ctx); err != nil {
		return err
	}
	return os.RemoveAll(w.dir)
}

func (w *world) adminKey(t testing.TB) string {
	t.Helper()
	key, err := os.ReadFile(w.endpoints.AdminKeyFile)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(key))
}

func (w *world) tls(t testing.TB) *tls.Config {
	t.Helper()
	ca, err := os.ReadFile(w.endpoints.CAFile)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(ca) {
		t.Fatal("the CA file holds no certificate")
	}
	return &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS13}
}

// bearer presents a key with every call.
type bearer string

func (b bearer) GetRequestMetadata(context.Context, ...string) (map[string]string, error) {
	return map[string]string{"authorization": "Bearer " + string(b)}, nil
}

func (bearer) RequireTransportSecurity() bool { return true }

// dial is a gRPC connection to the gateway that presents key.
func (w *world) dial(t testing.TB, key string) *grpc.ClientConn {
	t.Helper()
	conn, err := grpc.NewClient(strings.TrimPrefix(w.endpoints.Gateway, "https://"),
		grpc.WithTransportCredentials(credentials.NewTLS(w.tls(t))), grpc.WithPerRPCCredentials(bearer(key)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// rest sends one REST request and returns status and body.
func (w *world) rest(t *testing.T, method, path, key, body string) (int, map[string]any) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, w.endpoints.Gateway+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if key != "" {
		request.Header.Set("Authorization", "Bearer "+key)
	}
	if body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: w.tls(t), DisableKeepAlives: true}}
	reply, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer reply.Body.Close()
	var parsed map[string]any
	if err := json.NewDecoder(reply.Body).Decode(&parsed); err != nil {
		t.Fatalf("%s %s: status %d, no JSON: %v", method, path, reply.StatusCode, err)
	}
	if reply.Header.Get("X-Request-Id") == "" {
		t.Errorf("%s %s: the reply has no request id", method, path)
	}
	return reply.StatusCode, parsed
}

// naksha runs one command line against the shared platform.
func (w *world) naksha(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	app := &cli.App{In: strings.NewReader(""), Out: &out, Err: &errs, Version: "test", Getenv: func(name string) string {
		return map[string]string{"NAKSHA_DIR": w.dir, "HOME": w.dir}[name]
	}}
	return app.Run(t.Context(), args), out.String(), errs.String()
}

// nakshaAt runs one command line in a home of its own, with no state directory.
func nakshaAt(t *testing.T, home string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	app := &cli.App{In: strings.NewReader(""), Out: &out, Err: &errs, Version: "test", Getenv: func(name string) string {
		return map[string]string{"HOME": home}[name]
	}}
	return app.Run(t.Context(), args), out.String(), errs.String()
}
