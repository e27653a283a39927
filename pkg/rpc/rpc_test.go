package rpc_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"

	"github.com/naksha-cloud/naksha/pkg/caller"
	"github.com/naksha-cloud/naksha/pkg/fault"
	"github.com/naksha-cloud/naksha/pkg/obs"
	"github.com/naksha-cloud/naksha/pkg/rpc"
	"github.com/naksha-cloud/naksha/pkg/rpc/rpctest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const ref = "abcdefghijklmnopqrst"

var workspaceKey = caller.Caller{Principal: "k1", Kind: caller.Secret, Workspace: ref}

// syncBuffer is a log that several goroutines write.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// fixture is a server of the tests' service.
type fixture struct {
	handlers
	net    *rpctest.Net
	server *rpc.Server
	log    *syncBuffer
	cfg    rpctest.Config
}

func serve(t *testing.T, unary func(ctx context.Context, in, out thing) error) *fixture {
	t.Helper()
	f := &fixture{net: rpctest.New(t), log: &syncBuffer{}, handlers: handlers{files: thingFiles(t, true), unary: unary}}
	f.watch = func(ss grpc.ServerStream, in thing) error {
		out := newThing(f.files, in.get("name"))
		return errors.Join(ss.SendMsg(out.Message), f.unary(ss.Context(), in, out))
	}
	telemetry, err := obs.New(obs.Config{Service: "test", Level: slog.LevelDebug}, f.log)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = telemetry.Shutdown(context.Background()) })
	f.cfg = rpctest.Config{Telemetry: telemetry, Files: f.files}
	f.server = f.net.Serve(t, f.cfg, f.register)
	return f
}

// as dials the server as a service.
func (f *fixture) as(t *testing.T, name string) *grpc.ClientConn {
	t.Helper()
	cfg := f.cfg
	cfg.As = name
	return f.net.Dial(t, f.server, cfg)
}

func (f *fixture) call(ctx context.Context, conn *grpc.ClientConn, name string, options ...grpc.CallOption) (thing, error) {
	out := newThing(f.files, "")
	return out, conn.Invoke(ctx, method(name), newThing(f.files, "workspaces/"+ref+"/things/1").Message, out.Message, options...)
}

func echoCaller(ctx context.Context, _, out thing) error {
	c, _ := caller.From(ctx)
	out.set("text", fmt.Sprintf("%s/%s/%s/%s", c.Kind, c.Principal, c.Workspace, c.Service))
	return nil
}

func wantCode(t *testing.T, err error, code codes.Code, reason string) {
	t.Helper()
	if fault.CodeOf(err) != code || fault.ReasonOf(err) != reason {
		t.Errorf("error = %v (%s), want %v %s", err, fault.ReasonOf(err), code, reason)
	}
}

func TestOnlyDeclaredCallersGetIn(t *testing.T) {
	t.Parallel()
	f := serve(t, echoCaller)
	admin := caller.Caller{Principal: "root", Kind: caller.Admin}
	for name, test := range map[string]struct {
		peer, method string
		caller       caller.Caller
		want, reason string
	}{
		"gateway for a workspace":         {"gateway", "GetThing", workspaceKey, "secret/k1/" + ref + "/gateway", ""},
		"gateway for an operator":         {"gateway", "MakeThing", admin, "admin/root//gateway", ""},
		"gateway for nobody":              {"gateway", "GetThing", caller.Caller{}, "", "CALLER_NOT_ALLOWED"},
		"gateway for itself":              {"gateway", "AskThing", caller.Caller{}, "service/gateway//gateway", ""},
		"gateway without a permission":    {"gateway", "AskThing", admin, "service/gateway//gateway", ""},
		"listed service":                  {"backup", "AskThing", caller.Caller{}, "service/backup//backup", ""},
		"listed service for an operator":  {"backup", "AskThing", admin, "service/backup//backup", ""},
		"unlisted service":                {"alerting", "AskThing", caller.Caller{}, "", "CALLER_NOT_ALLOWED"},
		"service that claims an operator": {"backup", "MakeThing", admin, "", "CALLER_NOT_ALLOWED"},
		"workspace key at operators' RPC": {"gateway", "MakeThing", workspaceKey, "", "WORKSPACE_MISMATCH"},
		"key of another workspace": {
			"gateway", "GetThing",
			caller.Caller{Kind: caller.Secret, Workspace: "other"},
			"", "WORKSPACE_MISMATCH",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx := t.Context()
			if test.caller.Kind != "" {
				ctx = caller.With(ctx, test.caller)
			}
			out, err := f.call(ctx, f.as(t, test.peer), test.method)
			if test.reason != "" {
				wantCode(t, err, codes.PermissionDenied, test.reason)
			} else if err != nil || out.get("text") != test.want {
				t.Errorf("caller = %q, %v; want %q", out.get("text"), err, test.want)
			}
		})
	}
}

func TestStreamPassesTheSameChain(t *testing.T) {
	t.Parallel()
	f := serve(t, func(ctx context.Context, _, _ thing) error { panic("at the end of the stream") })
	watch := func(ctx context.Context, peer, name string) error {
		s, err := f.as(t, peer).NewStream(ctx, &grpc.StreamDesc{ServerStreams: true}, method("WatchThings"))
		if err != nil {
			return err
		}
		if err := errors.Join(s.SendMsg(newThing(f.files, name).Message), s.CloseSend()); err != nil {
			return err
		}
		for {
			if err := s.RecvMsg(newThing(f.files, "").Message); err != nil {
				return err
			}
		}
	}
	ctx := caller.With(t.Context(), workspaceKey)
	wantCode(t, watch(ctx, "gateway", "workspaces/"+ref), codes.Internal, "INTERNAL")
	wantCode(t, watch(ctx, "gateway", "workspaces/other"), codes.PermissionDenied, "WORKSPACE_MISMATCH")
	wantCode(t, watch(ctx, "gateway", "workspaces/"+ref+"/"+strings.Repeat("x", 40)), codes.InvalidArgument, "FIELD_INVALID")
	wantCode(t, watch(ctx, "backup", "workspaces/"+ref), codes.PermissionDenied, "CALLER_NOT_ALLOWED")
}

func TestRequestIDIsKeptOrReplacedAndReturned(t *testing.T) {
	t.Parallel()
	f := serve(t, func(ctx context.Context, _, out thing) error { out.set("text", caller.RequestID(ctx)); return nil })
	conn := f.as(t, "backup")
	for sent, kept := range map[string]bool{"client-1": true, "bad id\n": false, "": false} {
		var header metadata.MD
		out, err := f.call(caller.WithRequestID(t.Context(), sent), conn, "AskThing", grpc.Header(&header))
		got := out.get("text")
		if err != nil || (got == sent) != kept || !caller.ValidRequestID(got) || header.Get(caller.RequestIDMetadataKey)[0] != got {
			t.Errorf("sent %q, got %q, header %v, %v", sent, got, header, err)
		}
	}
}
