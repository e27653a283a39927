// Package rpctest gives tests a real server and client of package rpc: loopback, mutual TLS from a CA of the test's own,
// the whole chain. Everything ends with the test.
package rpctest

import (
	"context"
	"crypto/tls"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/naksha-cloud/naksha/pkg/obs"
	"github.com/naksha-cloud/naksha/pkg/rpc"
	"github.com/naksha-cloud/naksha/pkg/rpc/pki"
)

// Config says what Pair builds. The zero Config is a server without services, called by the gateway.
type Config struct {
	Service   string                  // the server's name; default "test"
	As        string                  // the client's service; default "gateway"
	Telemetry *obs.Telemetry          // of both ends; default: silent
	Files     *protoregistry.Files    // of both ends; default: those linked into the binary
	Server    func(*rpc.ServerConfig) // changes the server's configuration
}

// Pair starts a server with the services that register adds, and returns a client connection to it.
func Pair(t testing.TB, cfg Config, register func(grpc.ServiceRegistrar)) *grpc.ClientConn {
	t.Helper()
	n := New(t)
	return n.Dial(t, n.Serve(t, cfg, register), cfg)
}

// Net is a CA with everybody's certificates: servers and clients of one Net trust each other.
type Net struct{ dir *pki.Dir }

// New makes a Net.
func New(t testing.TB) *Net {
	t.Helper()
	dir, err := pki.Open(t.TempDir(), time.Now())
	if err != nil {
		t.Fatalf("make certificates: %v", err)
	}
	return &Net{dir: dir}
}

// Files returns the certificate files of service.
func (n *Net) Files(t testing.TB, service string) rpc.Files {
	t.Helper()
	files, err := n.dir.Ensure(pki.Leaf{Service: service, From: time.Now()})
	if err != nil {
		t.Fatalf("issue certificate of %s: %v", service, err)
	}
	return files
}

// ServerTLS is the configuration of a server that is service.
func (n *Net) ServerTLS(t testing.TB, service string) *tls.Config {
	t.Helper()
	config, err := rpc.ServerTLS(n.Files(t, service))
	if err != nil {
		t.Fatalf("configure TLS of %s: %v", service, err)
	}
	return config
}

// ClientTLS is the configuration of a client that is service and calls server.
func (n *Net) ClientTLS(t testing.TB, service, server string) *tls.Config {
	t.Helper()
	config, err := rpc.ClientTLS(n.Files(t, service), server)
	if err != nil {
		t.Fatalf("configure TLS of %s: %v", service, err)
	}
	return config
}

// Serve starts a server on the loopback and returns it; it stops with the test.
func (n *Net) Serve(t testing.TB, cfg Config, register func(grpc.ServiceRegistrar)) *rpc.Server {
	t.Helper()
	config := rpc.ServerConfig{
		Name: cfg.service(), Addr: "127.0.0.1:0", TLS: n.ServerTLS(t, cfg.service()),
		Telemetry: cfg.Telemetry, Files: cfg.Files,
	}
	if cfg.Server != nil {
		cfg.Server(&config)
	}
	server := rpc.NewServer(config)
	if register != nil {
		register(server.GRPC())
	}
	if err := server.Start(t.Context()); err != nil {
		t.Fatalf("start server: %v", err)
	}
	t.Cleanup(func() { stop(t, server) })
	return server
}

// Dial returns a connection to server as cfg.As; it closes with the test.
func (n *Net) Dial(t testing.TB, server *rpc.Server, cfg Config) *grpc.ClientConn {
	t.Helper()
	conn, err := rpc.Dial(server.Addr(), rpc.ClientConfig{
		Name: cfg.service(), TLS: n.ClientTLS(t, cfg.as(), cfg.service()), Telemetry: cfg.Telemetry, Files: cfg.Files,
	})
	if err != nil {
		t.Fatalf("dial: %v", err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func stop(t testing.TB, server *rpc.Server) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := server.Stop(ctx); err != nil {
		t.Errorf("stop server: %v", err)
	}
}

func (c Config) service() string {
	if c.Service == "" {
		return "test"
	}
	return c.Service
}

func (c Config) as() string {
	if c.As == "" {
		return rpc.Gateway
	}
	return c.As
}
