package endtoend

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/dynamicpb"

	"github.com/naksha-cloud/naksha/pkg/fault"
	"github.com/naksha-cloud/naksha/pkg/local/localtest"
	accessv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/access/v1"
	tenantv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/tenant/v1"
)

// methods are all RPCs of the platform.
func methods() (found []protoreflect.MethodDescriptor) {
	protoregistry.GlobalFiles.RangeFiles(func(f protoreflect.FileDescriptor) bool {
		if !strings.HasPrefix(string(f.Package()), "naksha.") {
			return true
		}
		for i := range f.Services().Len() {
			service := f.Services().Get(i)
			for k := range service.Methods().Len() {
				found = append(found, service.Methods().Get(k))
			}
		}
		return true
	})
	return found
}

func access(m protoreflect.MethodDescriptor) *accessv1.Access {
	a, _ := proto.GetExtension(m.Options(), accessv1.E_Access).(*accessv1.Access)
	return a
}

func path(m protoreflect.MethodDescriptor) string {
	return fmt.Sprintf("/%s/%s", m.Parent().FullName(), m.Name())
}

// nasty are texts that have broken other systems.
var nasty = []string{
	"", " ", "x", "'; DROP TABLE workspace; --", `"; SELECT pg_sleep(10); --`, "../../etc/passwd", "..", "a/b/c/d", "%00",
	"workspaces/", "workspaces/aaaaaaaaaaaaaaaaaaaa", "workspaces/AAAAAAAAAAAAAAAAAAAA", "workspaces/aaaaaaaaaaaaaaaaaaaa/keys/x",
	"workspaces/aaaaaaaaaaaaaaaaaaaa/snapshots/00000000-0000-0000-0000-000000000000",
	"workspaces/aaaaaaaaaaaaaaaaaaaa/restores/00000000-0000-0000-0000-000000000000",
	"workspaces/aaaaaaaaaaaaaaaaaaaa/credentials/database", "servers/server1", "servers/none/credentials/backup-reader",
	"incidents/00000000-0000-0000-0000-000000000000", "services/tenant", "services/none",
	"\u202eevil", "ＷＯＲＫ", "🙂", "a\x00b", "tab\tnew\nline", "\u0000", strings.Repeat("a", 300), strings.Repeat("é", 5000),
	"2026-11-22", "-1", "9223372036854775808", "NaN", "{{.}}", "${jndi:x}", "plan = ", `plan = "pro" OR 1=1`, "cGFnZQ==",
}

// fill sets every scalar field of m, two levels deep, to the n-th nasty value of its kind.
func fill(m protoreflect.Message, n, depth int) {
	fields := m.Descriptor().Fields()
	for i := range fields.Len() {
		f := fields.Get(i)
		switch {
		case f.IsMap():
			if f.MapValue().Kind() == protoreflect.StringKind {
				m.Mutable(f).Map().Set(protoreflect.ValueOfString(nasty[n]).MapKey(), protoreflect.ValueOfString(nasty[n]))
			}
		case f.IsList():
			if f.Kind() == protoreflect.MessageKind && depth > 0 {
				fill(m.Mutable(f).List().AppendMutable().Message(), n, depth-1)
			}
		case f.Kind() == protoreflect.MessageKind:
			if depth > 0 && n%3 > 0 {
				fill(m.Mutable(f).Message(), n, depth-1)
			}
		default:
			m.Set(f, scalar(f, n))
		}
	}
}

func scalar(f protoreflect.FieldDescriptor, n int) protoreflect.Value {
	extremes := []int64{-1, 0, 1, 1 << 31, -1 << 63, 1<<63 - 1}
	v := extremes[n%len(extremes)]
	switch f.Kind() {
	case protoreflect.StringKind:
		return protoreflect.ValueOfString(nasty[n])
	case protoreflect.BytesKind:
		return protoreflect.ValueOfBytes([]byte(nasty[n]))
	case protoreflect.BoolKind:
		return protoreflect.ValueOfBool(n%2 == 0)
	case protoreflect.EnumKind:
		return protoreflect.ValueOfEnum(protoreflect.EnumNumber(int32(v)))
	case protoreflect.Int32Kind:
		return protoreflect.ValueOfInt32(int32(v))
	case protoreflect.Int64Kind:
		return protoreflect.ValueOfInt64(v)
	default:
		return f.Default()
	}
}

func TestNoInputIsAnsweredWithInternal(t *testing.T) {
	t.Parallel()
	w := start(t)
	conn := w.dial(t, w.adminKey(t))
	for _, m := range methods() {
		if access(m).GetPermission() == "" {
			continue
		}
		for n := range nasty {
			request := dynamicpb.NewMessage(m.Input())
			fill(request, n, 2)
			if skip(m, request) {
				continue
			}
			ctx, cancel := context.WithTimeout(t.Context(), localtest.Patience)
			err := conn.Invoke(ctx, path(m), request, dynamicpb.NewMessage(m.Output()))
			cancel()
			checkRefusal(t, fmt.Sprintf("%s with %.40q", path(m), nasty[n]), err)
		}
	}
}

// skip leaves out what is a correct order: a workspace named with unusual but legal words.
func skip(m protoreflect.MethodDescriptor, request proto.Message) bool {
	return m.Name() == "CreateWorkspace" && fieldText(request, "plan") == ""
}

func fieldText(m proto.Message, name protoreflect.Name) string {
	f := m.ProtoReflect().Descriptor().Fields().ByName(name)
	if f == nil {
		return ""
	}
	return m.ProtoReflect().Get(f).String()
}

// checkRefusal accepts success, and a refusal by a stable code and reason with a remedy.
func checkRefusal(t *testing.T, what string, err error) {
	t.Helper()
	if err == nil {
		return
	}
	f := fault.From(err)
	if slices.Contains([]codes.Code{codes.Internal, codes.Unknown, codes.DataLoss, codes.DeadlineExceeded, codes.Unavailable}, f.Code) {
		t.Errorf("%s: %s %s: %s", what, f.Code, f.Reason, f.Message)
	}
	if f.Reason == "" || f.Remedy == "" && len(f.Fields) == 0 {
		t.Errorf("%s: %s %q has no reason or no remedy: %s", what, f.Code, f.Reason, f.Message)
	}
	if strings.Contains(f.Message, "regex pattern") || strings.Contains(f.Message, "in list [") {
		t.Errorf("%s: a rule is shown, not what is accepted: %s", what, f.Message)
	}
}

func TestMethodsWithoutPermissionAreUnknownAtTheDoor(t *testing.T) {
	t.Parallel()
	w := start(t)
	conn := w.dial(t, w.adminKey(t))
	hidden := 0
	for _, m := range methods() {
		if access(m).GetPermission() != "" {
			continue
		}
		hidden++
		err := conn.Invoke(t.Context(), path(m), dynamicpb.NewMessage(m.Input()), dynamicpb.NewMessage(m.Output()))
		if fault.CodeOf(err) != codes.Unimplemented {
			t.Errorf("%s: %v", path(m), err)
		}
	}
	if hidden == 0 {
		t.Error("no internal method was tried")
	}
}

func TestWrongKeysAreRefused(t *testing.T) {
	t.Parallel()
	w := start(t)
	good, other := w.adminKey(t), "x"
	if good[len(good)-8] == 'x' { // by chance
		other = "y"
	}
	for name, key := range map[string]string{
		"none": "", "words": "let me in", "cut": good[:len(good)-1], "altered": good[:len(good)-8] + other + good[len(good)-7:],
		"huge": strings.Repeat("k", 8000), "SQL": "nk_adm_' OR 1=1", "unknown kid": "nk_adm_AAAAAAAAAAAA" + good[19:],
	} {
		status, body := w.rest(t, "GET", "/v1/workspaces", key, "")
		if status != 401 || body["reason"] == "" || body["remedy"] == "" {
			t.Errorf("key %s: status %d, %v", name, status, body)
		}
	}
}

func TestReusedRequestIDWithAnotherBodyIsRefused(t *testing.T) {
	t.Parallel()
	w := start(t)
	client := tenantv1.NewWorkspaceServiceClient(w.dial(t, w.adminKey(t)))
	ask := &tenantv1.CreateWorkspaceRequest{DisplayName: "once", RequestId: "0193a3c0-0000-7000-8000-000000000001"}
	first, err := client.CreateWorkspace(t.Context(), ask)
	if err != nil {
		t.Fatal(err)
	}
	again, err := client.CreateWorkspace(t.Context(), ask)
	if err != nil || !proto.Equal(first, again) {
		t.Fatalf("the repeat gave another answer: %v", err)
	}
	ask.DisplayName = "twice"
	if _, err := client.CreateWorkspace(t.Context(), ask); fault.ReasonOf(err) != "REQUEST_ID_REUSED" {
		t.Errorf("another body under the same request id gave %v", err)
	}
}

func TestRESTRefusesWhatItDoesNotUnderstand(t *testing.T) {
	t.Parallel()
	w := start(t)
	key := w.adminKey(t)
	for name, test := range map[string]struct {
		method, path, body string
		status             int
	}{
		"unknown path":    {"GET", "/v1/nothing", "", 404},
		"wrong method":    {"PUT", "/v1/workspaces", "{}", 405},
		"broken JSON":     {"POST", "/v1/workspaces", "{", 400},
		"wrong type":      {"POST", "/v1/workspaces", `{"displayName": 7}`, 400},
		"unknown field":   {"POST", "/v1/workspaces", `{"displayName": "x", "nope": 1}`, 400},
		"empty body":      {"POST", "/v1/workspaces", ``, 400},
		"huge body":       {"POST", "/v1/workspaces", `{"displayName": "` + strings.Repeat("x", 5<<20) + `"}`, 413},
		"path traversal":  {"GET", "/v1/workspaces/%2e%2e%2f%2e%2e", "", 0},
		"encoded NUL":     {"GET", "/v1/workspaces/%00", "", 0},
		"wrong page size": {"GET", "/v1/workspaces?pageSize=many", "", 400},
		"unknown query":   {"GET", "/v1/workspaces?nope=1", "", 400},
	} {
		status, body := w.rest(t, test.method, test.path, key, test.body)
		if test.status != 0 && status != test.status || status < 400 || status >= 500 {
			t.Errorf("%s: status %d, %v", name, status, body)
		}
		if body["reason"] == nil || body["remedy"] == nil || body["remedy"] == "" {
			t.Errorf("%s: no reason or remedy: %v", name, body)
		}
	}
}
