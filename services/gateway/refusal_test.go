package gateway_test

import (
	"context"
	"regexp"
	"strings"
	"testing"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/naksha-cloud/naksha/services/gateway"
	"github.com/naksha-cloud/naksha/services/gateway/internal/api/call"
)

var upperSnake = regexp.MustCompile(`^[A-Z][A-Z0-9]*(_[A-Z0-9]+)+$`)

// theirs are the codes that say that the caller did something wrong.
var theirs = map[codes.Code]bool{
	codes.InvalidArgument: true, codes.Unauthenticated: true, codes.PermissionDenied: true, codes.NotFound: true,
	codes.Unimplemented: true, codes.ResourceExhausted: true, codes.FailedPrecondition: true, codes.AlreadyExists: true,
}

// invoke calls a method with bytes as they are, and returns the reason of its refusal.
func invoke(t *testing.T, conn *grpc.ClientConn, method string, request []byte, options ...grpc.CallOption) string {
	t.Helper()
	in, out, header := call.Frame(request), call.Frame{}, metadata.MD{}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ctx = metadata.AppendToOutgoingContext(ctx, "x-request-id", "req-1")
	options = append(options, grpc.ForceCodecV2(call.Raw()), grpc.Header(&header))
	err := conn.Invoke(ctx, method, &in, &out, options...)
	if err == nil {
		return ""
	}
	s := status.Convert(err)
	if sent := header.Get("x-request-id"); len(sent) != 1 || sent[0] != "req-1" {
		t.Errorf("%s: the reply's request id is %v", method, sent)
	}
	return refusalOf(t, method, s)
}

// refusalOf checks that a status tells a caller what it needs, and returns its reason.
func refusalOf(t *testing.T, method string, s *status.Status) string {
	t.Helper()
	if !theirs[s.Code()] {
		t.Errorf("%s: refused with %s: %s", method, s.Code(), s.Message())
	}
	for _, detail := range s.Details() {
		info, ok := detail.(*errdetails.ErrorInfo)
		if !ok {
			continue
		}
		if !upperSnake.MatchString(info.GetReason()) || info.GetDomain() != "naksha.cloud" ||
			info.GetMetadata()["remedy"] == "" || info.GetMetadata()["request_id"] != "req-1" {
			t.Errorf("%s: %s %v", method, s.Message(), info)
		}
		return info.GetReason()
	}
	t.Errorf("%s: no reason in %v", method, s)
	return ""
}

func methods(t *testing.T) *call.Registry {
	t.Helper()
	found, err := call.NewRegistry(protoregistry.GlobalFiles, protoregistry.GlobalTypes)
	if err != nil {
		t.Fatal(err)
	}
	if len(found.Routes) < 40 {
		t.Fatalf("only %d methods are linked in", len(found.Routes))
	}
	return found
}

// naming is a request of m's type whose workspace field names ref; false when m has none.
func naming(t *testing.T, m call.Method, name string) []byte {
	t.Helper()
	request := m.Request.New()
	if m.WorkspaceField != "" {
		field := request.Descriptor().Fields().ByName(protoreflect.Name(m.WorkspaceField))
		request.Set(field, protoreflect.ValueOfString(name))
	}
	encoded, err := proto.Marshal(request.Interface())
	if err != nil {
		t.Fatal(err)
	}
	return encoded
}

func TestEveryMethodIsDeniedByDefault(t *testing.T) {
	t.Parallel()
	w := newWorld(t, gateway.Deps{})
	admin, secret, public, nobody := w.dial(t, adminKey), w.dial(t, ownKey), w.dial(t, publicKey), w.dial(t, "")
	shown := map[string]bool{"gateway.caller.get": true, "tenant.workspaces.get": true}
	registry := methods(t)
	for name, m := range registry.Routes {
		resolved, open := registry.Resolve(name)
		if !open {
			for _, conn := range []*grpc.ClientConn{admin, secret, public} {
				if reason := invoke(t, conn, name, nil); reason != "METHOD_UNKNOWN" {
					t.Errorf("%s is not open, and was refused with %q", name, reason)
				}
			}
			continue
		}
		foreign := naming(t, resolved, "workspaces/"+other)
		if reason := invoke(t, nobody, name, foreign); reason != "KEY_MISSING" {
			t.Errorf("%s without a key: %q", name, reason)
		}
		want := "PERMISSION_MISSING"
		switch {
		case m.WorkspaceField != "":
			want = "WORKSPACE_FOREIGN"
		case m.Permission == "gateway.caller.get":
			want = ""
		}
		if reason := invoke(t, secret, name, foreign); reason != want {
			t.Errorf("%s with another workspace's key: %q, want %q", name, reason, want)
		}
		if !shown[m.Permission] {
			want = "PERMISSION_MISSING"
		}
		if reason := invoke(t, public, name, foreign); reason != want {
			t.Errorf("%s with a public key: %q, want %q", name, reason, want)
		}
	}
	if calls := w.tenant.calls(); len(calls) != 0 {
		t.Errorf("refused calls reached the service: %v", calls)
	}
}

func TestNamesThatOnlyLookLikeMethodsAreUnknown(t *testing.T) {
	t.Parallel()
	w := newWorld(t, gateway.Deps{})
	admin := w.dial(t, adminKey)
	const real = "/naksha.tenant.v1.WorkspaceService/GetWorkspace"
	for _, name := range []string{
		"/", "//", "/naksha.tenant.v1.WorkspaceService", real + "/", "/" + real, strings.ToLower(real), real + "%20", real + "?x=1",
		"/naksha.tenant.v1.WorkspaceService%2FGetWorkspace", "/naksha.tenant.v1.WorkspaceService/../WorkspaceService/GetWorkspace",
		"/naksha.tenant.v1.CellService/DropLogin", "/naksha.tenant.v1.KeyService/AuthenticateKey", "/grpc.channelz.v1.Channelz/GetServers",
		"/naksha.tenant.v1.WorkspaceService/GetWorkspaсe", // the last c is Cyrillic
	} {
		if reason := invoke(t, admin, name, naming(t, resolved(t, real), "workspaces/"+own)); reason != "METHOD_UNKNOWN" {
			t.Errorf("%s: %q", name, reason)
		}
	}
}

func resolved(t *testing.T, name string) call.Method {
	t.Helper()
	m, ok := methods(t).Resolve(name)
	if !ok {
		t.Fatalf("%s is unknown", name)
	}
	return m
}

func TestWrongRequestsAreRefusedForEveryMethod(t *testing.T) {
	t.Parallel()
	w := newWorld(t, gateway.Deps{}, func(c *gateway.Config) { c.MaxRequestBytes = 1 << 20 })
	admin := w.dial(t, adminKey)
	unknown := protowire.AppendVarint(protowire.AppendTag(nil, 1999, protowire.VarintType), 1)
	tests := []struct {
		name    string
		request []byte
		reason  string
	}{
		{"bytes that are no message", []byte{0xff, 0xff, 0xff}, "REQUEST_MALFORMED"},
		{"a field that nobody knows", unknown, "FIELD_UNKNOWN"},
		{"too large", make([]byte, 1<<20+1), "REQUEST_TOO_LARGE"},
	}
	registry := methods(t)
	for name := range registry.Routes {
		if _, open := registry.Resolve(name); !open {
			continue
		}
		for _, test := range tests {
			if reason := invoke(t, admin, name, test.request); reason != test.reason {
				t.Errorf("%s, %s: %q, want %q", name, test.name, reason, test.reason)
			}
		}
	}
}

func TestUnknownFieldsAreFoundInside(t *testing.T) {
	t.Parallel()
	w := newWorld(t, gateway.Deps{})
	admin := w.dial(t, adminKey)
	unknown := protowire.AppendVarint(protowire.AppendTag(nil, 1999, protowire.VarintType), 1)
	inside := protowire.AppendBytes(protowire.AppendTag(nil, 1, protowire.BytesType), unknown)
	if reason := invoke(t, admin, "/naksha.alerting.v1.SilenceService/CreateSilence", inside); reason != "FIELD_UNKNOWN" {
		t.Errorf("in a message: %q", reason)
	}
	if reason := invoke(t, admin, "/naksha.alerting.v1.AlertService/CreateAlerts", inside); reason != "FIELD_UNKNOWN" {
		t.Errorf("in a list: %q", reason)
	}
}

func TestAWorkspaceIsComparedExactly(t *testing.T) {
	t.Parallel()
	w := newWorld(t, gateway.Deps{})
	conn := w.dial(t, ownKey)
	m := resolved(t, "/naksha.tenant.v1.WorkspaceService/GetWorkspace")
	if reason := invoke(t, conn, m.FullName, naming(t, m, "workspaces/"+own)); reason != "" {
		t.Fatalf("its own: %q", reason)
	}
	for _, name := range []string{
		"", "/", "workspaces", "workspaces/", "workspaces/" + other, "workspaces/-", "workspaces/*", "workspaces/ " + own, own,
		"Workspaces/" + own, "workspaces/" + strings.ToUpper(own), "workspaces/" + own + "\x00", "workspaces/" + own + "\u200b",
		"workspaces/" + other + "/../" + own, "workspaces/../workspaces/" + own, "/workspaces/" + own, "servers/server1",
		"workspaces/\u0430" + own[1:], "workspaces//" + own, "workspaces/" + own[:19],
	} {
		if reason := invoke(t, conn, m.FullName, naming(t, m, name)); reason != "WORKSPACE_FOREIGN" {
			t.Errorf("%q: %q", name, reason)
		}
	}
	twice := append(naming(t, m, "workspaces/"+own), naming(t, m, "workspaces/"+other)...)
	if reason := invoke(t, conn, m.FullName, twice); reason != "WORKSPACE_FOREIGN" {
		t.Errorf("a name that is there twice: %q", reason)
	}
}

func TestKeysThatDoNotWorkAreRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t, gateway.Deps{})
	for _, test := range []struct{ apiKey, reason string }{
		{"", "KEY_MISSING"},
		{strangeKey, "KEY_UNKNOWN"},
		{expiredKey, "KEY_EXPIRED"},
		{"nk_sec_short", "KEY_MALFORMED"},
		{ownKey[:len(ownKey)-1] + "-", "KEY_MALFORMED"},
		{ownKey + "A", "KEY_MALFORMED"},
		{strings.ToUpper(ownKey), "KEY_MALFORMED"},
		{"nk_sec_" + strings.Repeat("A", 100_000), "KEY_MALFORMED"},
		{"' OR 1=1 --", "KEY_MALFORMED"},
	} {
		if len(test.apiKey) < 30_000 { // gRPC's own client refuses to send more
			if reason := invoke(t, w.dial(t, test.apiKey), "/naksha.gateway.v1.PlatformService/GetCaller", nil); reason != test.reason {
				t.Errorf("gRPC, %.20s: %q, want %q", test.apiKey, reason, test.reason)
			}
		}
		if len(test.apiKey) < 30_000 {
			if answer := w.do(t, test.apiKey, "GET", "/v1/caller", ""); answer.status != 401 || answer.reason() != test.reason {
				t.Errorf("REST, %.20s: %d %s, want %q", test.apiKey, answer.status, answer.text, test.reason)
			}
		}
	}
}

func TestAKeyIsTakenFromAnyOfItsHeaders(t *testing.T) {
	t.Parallel()
	w := newWorld(t, gateway.Deps{})
	for _, test := range []struct {
		name    string
		headers []string
		reason  string
	}{
		{"apikey", []string{"apikey", ownKey}, ""},
		{"x-api-key", []string{"X-Api-Key", ownKey}, ""},
		{"both, the same", []string{"apikey", ownKey, "Authorization", "Bearer " + ownKey}, ""},
		{"scheme in capitals", []string{"Authorization", "BEARER " + ownKey}, ""},
		{"both, different", []string{"apikey", ownKey, "Authorization", "Bearer " + otherKey}, "KEY_AMBIGUOUS"},
		{"basic", []string{"Authorization", "Basic dXNlcjpwYXNz"}, "KEY_MALFORMED"},
		{"scheme alone", []string{"Authorization", "Bearer"}, "KEY_MALFORMED"},
		{"empty", []string{"apikey", " "}, "KEY_MALFORMED"},
	} {
		if answer := w.do(t, "", "GET", "/v1/caller", "", test.headers...); answer.reason() != test.reason {
			t.Errorf("%s: %d %s", test.name, answer.status, answer.text)
		}
	}
}
