package rpc_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/naksha-cloud/naksha/pkg/rpc"
	"github.com/naksha-cloud/naksha/pkg/rpc/rpctest"
)

func TestServerRefusesToStartUnprotected(t *testing.T) {
	t.Parallel()
	n := rpctest.New(t)
	oneWay := n.ServerTLS(t, "test").Clone()
	oneWay.ClientAuth = 0
	hidden := handlers{files: thingFiles(t, false), unary: echoCaller}
	for name, server := range map[string]*rpc.Server{
		"without TLS":                     rpc.NewServer(rpc.ServerConfig{Addr: "127.0.0.1:0"}),
		"without client certificates":     rpc.NewServer(rpc.ServerConfig{Addr: "127.0.0.1:0", TLS: oneWay}),
		"with a method open to nobody":    undeclared(n.Files, t, hidden),
		"with a service without a proto":  undeclared(n.Files, t, handlers{files: nil, unary: echoCaller}),
		"on an address that is not there": rpc.NewServer(rpc.ServerConfig{Addr: "192.0.2.1:1", TLS: n.ServerTLS(t, "test")}),
	} {
		if err := server.Start(t.Context()); err == nil {
			t.Errorf("started %s", name)
		} else {
			t.Logf("%s: %v", name, err)
		}
		if err := server.Stop(t.Context()); err != nil {
			t.Errorf("stop after failed start: %v", err)
		}
	}
}

func undeclared(files func(testing.TB, string) rpc.Files, t *testing.T, h handlers) *rpc.Server {
	config, err := rpc.ServerTLS(files(t, "test"))
	if err != nil {
		t.Fatal(err)
	}
	s := rpc.NewServer(rpc.ServerConfig{Addr: "127.0.0.1:0", TLS: config, Files: h.files})
	h.register(s.GRPC())
	return s
}

func TestHealthIsOpenToEveryCertificate(t *testing.T) {
	t.Parallel()
	f := serve(t, echoCaller)
	client := healthv1.NewHealthClient(f.as(t, "nobody"))
	for _, name := range []string{"", service} {
		r, err := client.Check(t.Context(), &healthv1.HealthCheckRequest{Service: name})
		if err != nil || r.GetStatus() != healthv1.HealthCheckResponse_SERVING {
			t.Errorf("health of %q = %v, %v", name, r, err)
		}
	}
	err := f.as(t, "gateway").Invoke(t.Context(), "/naksha.test.v1.ThingService/Absent", &emptypb.Empty{}, &emptypb.Empty{})
	wantCode(t, err, codes.Unimplemented, "METHOD_UNKNOWN")
}

func TestStopLetsRunningCallsEnd(t *testing.T) {
	t.Parallel()
	entered, release := make(chan struct{}, 2), make(chan struct{})
	f := serve(t, func(ctx context.Context, _, out thing) error {
		entered <- struct{}{}
		select {
		case <-release:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	})
	conn, result := f.as(t, "backup"), make(chan error, 1)
	go func() {
		_, err := f.call(t.Context(), conn, "AskThing")
		result <- err
	}()
	<-entered
	stopped := make(chan error, 1)
	go func() { stopped <- f.server.Stop(t.Context()) }()
	close(release)
	if err := <-result; err != nil {
		t.Errorf("the running call ended with %v", err)
	}
	if err := <-stopped; err != nil {
		t.Errorf("stop: %v", err)
	}
	<-f.server.Done()
	if err := errors.Join(f.server.Err(), f.server.Stop(t.Context())); err != nil {
		t.Errorf("after stop: %v", err)
	}
}

func TestStopCutsWhatDoesNotEnd(t *testing.T) {
	t.Parallel()
	entered := make(chan struct{}, 1)
	f := serve(t, func(ctx context.Context, _, _ thing) error {
		entered <- struct{}{}
		<-ctx.Done()
		return ctx.Err()
	})
	conn, result := f.as(t, "backup"), make(chan error, 1)
	go func() {
		_, err := f.call(t.Context(), conn, "AskThing")
		result <- err
	}()
	<-entered
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := f.server.Stop(ctx); err != nil {
		t.Errorf("stop: %v", err)
	}
	if err := <-result; err == nil {
		t.Error("the call succeeded")
	}
}
