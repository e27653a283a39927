package cli

import (
	"bytes"
	"context"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"

	"github.com/naksha-cloud/naksha/pkg/rpc/rpctest"
	tenantv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/tenant/v1"
)

// gateway is a server in the place of one: it holds keys in pages and tells what it was asked.
type gateway struct {
	tenantv1.UnimplementedKeyServiceServer
	at    target
	keys  int // of the workspace
	asked chan *tenantv1.ListKeysRequest
}

// newGateway starts one; it stops with the test.
func newGateway(t *testing.T, keys int) *gateway {
	t.Helper()
	g := &gateway{keys: keys, asked: make(chan *tenantv1.ListKeysRequest, 100)}
	g.at = serve(t, func(s *grpc.Server) { tenantv1.RegisterKeyServiceServer(s, g) })
	return g
}

// serve starts a server in the place of a gateway; it stops with the test.
func serve(t *testing.T, register func(s *grpc.Server)) target {
	t.Helper()
	n := rpctest.New(t)
	files := n.Files(t, "gateway")
	serverTLS, err := credentials.NewServerTLSFromFile(files.CertFile, files.KeyFile)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer(grpc.Creds(serverTLS))
	register(server)
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	return target{Server: "https://" + listener.Addr().String(), CAFile: files.CAFile, KeyFile: keyOf(t, "nk_adm_key\n")}
}

// keyOf is a key file with content.
func keyOf(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// ListKeys answers with pages of 50, unless it is asked for another size.
func (g *gateway) ListKeys(_ context.Context, q *tenantv1.ListKeysRequest) (*tenantv1.ListKeysResponse, error) {
	g.asked <- q
	from, _ := strconv.Atoi(q.GetPageToken())
	size := 50
	if q.GetPageSize() > 0 {
		size = int(q.GetPageSize())
	}
	reply := &tenantv1.ListKeysResponse{}
	for i := from; i < min(from+size, g.keys); i++ {
		reply.Keys = append(reply.Keys, &tenantv1.Key{Name: q.GetParent() + "/keys/key" + strconv.Itoa(i)})
	}
	if from+size < g.keys {
		reply.NextPageToken = strconv.Itoa(from + size)
	}
	return reply, nil
}

// said is what a command line gave back.
type said struct {
	code     int
	out, err string
}

// run runs one command line at t's gateway, without a home, a terminal or an environment.
func (t target) run(ctx context.Context, args ...string) said {
	for flag, value := range map[string]string{"--server": t.Server, "--ca-file": t.CAFile, "--key-file": t.KeyFile, "--dir": t.dir} {
		if value != "" {
			args = append(args, flag, value)
		}
	}
	var out, errs bytes.Buffer
	app := &App{In: strings.NewReader(""), Out: &out, Err: &errs, Getenv: func(string) string { return "" }}
	code := app.Run(ctx, args)
	return said{code: code, out: out.String(), err: errs.String()}
}
