package rpc_test

import (
	"context"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"

	"github.com/naksha-cloud/naksha/pkg/obs"
	"github.com/naksha-cloud/naksha/pkg/rpc/rpctest"
)

// BenchmarkCall compares a unary call through the whole chain with one through bare grpc-go over the same TLS.
func BenchmarkCall(b *testing.B) {
	h := handlers{files: thingFiles(b, true), unary: func(context.Context, thing, thing) error { return nil }}
	n := rpctest.New(b)
	cfg := rpctest.Config{Files: h.files, As: "backup", Telemetry: obs.Discard()}
	chain := n.Serve(b, cfg, h.register)
	bare := grpc.NewServer(grpc.Creds(credentials.NewTLS(n.ServerTLS(b, "test"))))
	h.register(bare)
	b.Run("chain", func(b *testing.B) { callMany(b, h, n.Dial(b, chain, cfg)) })
	b.Run("bare", func(b *testing.B) { callMany(b, h, dialBare(b, n, bare)) })
}

func callMany(b *testing.B, h handlers, conn *grpc.ClientConn) {
	in, out := newThing(h.files, "workspaces/x"), newThing(h.files, "")
	b.ReportAllocs()
	for b.Loop() {
		if err := conn.Invoke(b.Context(), method("AskThing"), in.Message, out.Message); err != nil {
			b.Fatal(err)
		}
	}
}

func dialBare(b *testing.B, n *rpctest.Net, server *grpc.Server) *grpc.ClientConn {
	lis := listen(b)
	go func() { _ = server.Serve(lis) }() // ends with server.Stop
	b.Cleanup(server.Stop)
	conn, err := grpc.NewClient(lis.Addr().String(),
		grpc.WithTransportCredentials(credentials.NewTLS(n.ClientTLS(b, "backup", "test"))))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = conn.Close() })
	return conn
}
