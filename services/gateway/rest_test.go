package gateway_test

import (
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/naksha-cloud/naksha/services/gateway"
	"github.com/naksha-cloud/naksha/services/gateway/internal/api/rest"
)

// wantProblem checks that a reply is a problem as RFC 9457 has it, with everything that a caller needs.
func wantProblem(t *testing.T, what string, answer reply, status int, reason string) {
	t.Helper()
	if answer.status != status || answer.reason() != reason {
		t.Errorf("%s: %d %.300s, want %d %s", what, answer.status, answer.text, status, reason)
		return
	}
	for _, member := range []string{"type", "title", "detail", "reason", "remedy", "request_id"} {
		if text, _ := answer.body[member].(string); text == "" {
			t.Errorf("%s: no %s in %s", what, member, answer.text)
		}
	}
	if answer.header.Get("Content-Type") != "application/problem+json" || answer.body["status"] != float64(status) ||
		answer.header.Get("X-Request-Id") != answer.body["request_id"] {
		t.Errorf("%s: %v %s", what, answer.header, answer.text)
	}
}

// filled is a REST path with plausible names in the place of its variables.
func filled(pattern string) string {
	var b strings.Builder
	for {
		before, rest, ok := strings.Cut(pattern, "{")
		b.WriteString(before)
		if !ok {
			return b.String()
		}
		variable, after, _ := strings.Cut(rest, "}")
		_, resource, _ := strings.Cut(variable, "=")
		resource = strings.Replace(resource, "workspaces/*", "workspaces/"+own, 1)
		resource = strings.Replace(resource, "servers/*", "servers/server1", 1)
		resource = strings.Replace(resource, "services/*", "services/tenant", 1)
		b.WriteString(strings.ReplaceAll(resource, "*", "0197c0de-0000-7000-8000-000000000000"))
		pattern = after
	}
}

func rules(t *testing.T) []rest.Rule {
	t.Helper()
	found := rest.Rules(protoregistry.GlobalFiles)
	if len(found) < 30 {
		t.Fatalf("only %d REST paths are declared", len(found))
	}
	return found
}

func TestEveryDeclaredPathIsServed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, gateway.Deps{})
	seen := map[string]bool{}
	for _, rule := range rules(t) {
		seen[rule.RPC] = true
		what := rule.Method + " " + filled(rule.Path)
		wantProblem(t, what+" without a key", w.do(t, "", rule.Method, filled(rule.Path), ""), 401, "KEY_MISSING")
		body := ""
		if rule.Method == http.MethodPost {
			body = "{}"
		}
		answer := w.do(t, adminKey, rule.Method, filled(rule.Path), body)
		switch answer.reason() {
		case "", "SERVICE_UNAVAILABLE", "FIELD_INVALID", "WORKSPACE_NOT_FOUND", "DEAD_LETTER_UNKNOWN", "METHOD_NOT_SERVED", "UNIMPLEMENTED":
		default:
			t.Errorf("%s: %d %s", what, answer.status, answer.text)
		}
	}
	registry := methods(t)
	for name := range registry.Routes {
		if _, open := registry.Resolve(name); open != seen[name] {
			t.Errorf("%s: open to callers is %v, and a REST path exists is %v", name, open, seen[name])
		}
	}
}

func TestWrongBodiesAndQueriesAreRefusedOnEveryPath(t *testing.T) {
	t.Parallel()
	w := newWorld(t, gateway.Deps{}, func(c *gateway.Config) { c.MaxRequestBytes = 1 << 20 })
	huge := `{"requestId":"` + strings.Repeat("a", 1<<20) + `"}`
	for _, rule := range rules(t) {
		path, what := filled(rule.Path), rule.Method+" "+rule.Path
		send := func(query, body string, headers ...string) reply {
			return w.do(t, adminKey, rule.Method, path+query, body, headers...)
		}
		wantProblem(t, what+", unknown parameter", send("?surprise=1", ""), 400, "FIELD_UNKNOWN")
		wantProblem(t, what+", broken query", send("?a=%zz", ""), 400, "QUERY_MALFORMED")
		wantProblem(t, what+", query that is not UTF-8", send("?pageToken=%ff%fe", ""), 400, "QUERY_MALFORMED")
		wantProblem(t, what+", huge", send("", huge), 413, "REQUEST_TOO_LARGE")
		if rule.Method != http.MethodPost {
			wantProblem(t, what+", body", send("", "{}"), 400, "BODY_UNEXPECTED")
			continue
		}
		wantProblem(t, what+", unknown field", send("", `{"surprise":1}`), 400, "FIELD_UNKNOWN")
		wantProblem(t, what+", no object", send("", `[1]`), 400, "FIELD_INVALID")
		wantProblem(t, what+", cut off", send("", `{"a":`), 400, "BODY_MALFORMED")
		wantProblem(t, what+", two documents", send("", `{}{}`), 400, "BODY_MALFORMED")
		wantProblem(t, what+", not UTF-8", send("", "{\"a\":\"\xff\"}"), 400, "BODY_MALFORMED")
		wantProblem(t, what+", form", send("", "a=b", "Content-Type", "application/x-www-form-urlencoded"), 415, "CONTENT_TYPE_UNSUPPORTED")
		wantProblem(t, what+", XML", send("", "<a/>", "Content-Type", "text/xml"), 415, "CONTENT_TYPE_UNSUPPORTED")
		wantProblem(t, what+", zipped", send("", "x", "Content-Encoding", "gzip"), 415, "CONTENT_TYPE_UNSUPPORTED")
	}
	if calls := w.tenant.calls(); len(calls) != 0 {
		t.Errorf("refused calls reached the service: %v", calls)
	}
}

func TestWrongValuesAreNamed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, gateway.Deps{})
	for _, test := range []struct{ method, path, body, reason, field string }{
		{"POST", "/v1/workspaces", `{"displayName":7}`, "FIELD_INVALID", "displayName"},
		{"POST", "/v1/workspaces", `{"displayName":["a"]}`, "FIELD_INVALID", ""},
		{"POST", "/v1/workspaces", `{"displayName":"a","displayName":"b"}`, "FIELD_DUPLICATE", "displayName"},
		{"POST", "/v1/workspaces", `{"displayName":"a","display_name":"b"}`, "FIELD_DUPLICATE", "display_name"},
		{"POST", "/v1/workspaces", `{"displayName":"a","plan":"gold"}`, "FIELD_INVALID", "plan"},
		{"POST", "/v1/workspaces", `{"displayName":"a\u0000b"}`, "FIELD_INVALID", "display_name"},
		{"POST", "/v1/workspaces", `{"displayName":"a\u202eb"}`, "FIELD_INVALID", "display_name"},
		{"POST", "/v1/workspaces", `{"displayName":"\ud800"}`, "BODY_MALFORMED", ""},
		{"POST", "/v1/workspaces", `{"displayName":"a","requestId":"1; DROP TABLE x"}`, "FIELD_INVALID", "request_id"},
		{"POST", "/v1/workspaces", ``, "FIELD_INVALID", "display_name"},
		{"POST", "/v1/workspaces", `null`, "FIELD_INVALID", ""},
		{"GET", "/v1/workspaces?pageSize=many", ``, "FIELD_INVALID", "page_size"},
		{"GET", "/v1/workspaces?pageSize=99999999999999999999", ``, "FIELD_INVALID", "page_size"},
		{"GET", "/v1/workspaces?pageSize=-1", ``, "FIELD_INVALID", "page_size"},
		{"GET", "/v1/workspaces?pageSize=1&pageSize=2", ``, "FIELD_INVALID", "page_size"},
		{"GET", "/v1/workspaces?pageSize=1&page_size=2", ``, "FIELD_INVALID", "page_size"},
		{"GET", "/v1/workspaces?pageSize.x=1", ``, "FIELD_INVALID", "pageSize"},
		{"GET", "/v1/workspaces/" + own + "?name=workspaces/" + other, ``, "FIELD_UNKNOWN", "name"},
		{"GET", "/v1/workspaces/nosuch", ``, "FIELD_INVALID", "name"},
		{"POST", "/v1/workspaces/" + own + "/keys", `{"parent":"workspaces/` + other + `","kind":"KIND_PUBLIC"}`, "FIELD_INVALID", "parent"},
		{"GET", "/v1/services/nosuch/events?aggregate=a", ``, "SERVICE_UNKNOWN", "service"},
		{"GET", "/v1/services/nosuch/deadLetters", ``, "SERVICE_UNKNOWN", "parent"},
		{"DELETE", "/v1/services/nosuch/deadLetters/x", ``, "SERVICE_UNKNOWN", "name"},
	} {
		answer := w.do(t, adminKey, test.method, test.path, test.body, "Content-Type", "application/json")
		what := test.method + " " + test.path + " " + test.body
		wantProblem(t, what, answer, 400, test.reason)
		fields, _ := answer.body["fields"].([]any)
		if test.field != "" && (len(fields) == 0 || fields[0].(map[string]any)["path"] != test.field) {
			t.Errorf("%s: the field is not named: %s", what, answer.text)
		}
	}
	if calls := w.tenant.calls(); len(calls) != 0 {
		t.Errorf("refused calls reached the service: %v", calls)
	}
}

func TestOddPathsAreNotFound(t *testing.T) {
	t.Parallel()
	w := newWorld(t, gateway.Deps{})
	for _, path := range []string{
		"/", "/v1", "/v1/", "/v2/workspaces", "/v1/nothing", "/v1/workspaces/", "//v1/workspaces", "/v1//workspaces",
		"/v1/workspaces/%2e%2e", "/v1/workspaces/..", "/v1/workspaces/.", "/v1/x/../workspaces/" + own, "/v1/workspaces/%2e%2e/workspaces",
		"/v1/workspaces/%00", "/v1/workspaces/" + own + "%00", "/v1/workspaces/" + own + "%2fkeys", "/v1/workspaces%2f" + own,
		"/v1/workspaces/" + own + "%252fkeys", "/v1/workspaces/%e2%80%8b" + own, "/v1/workspaces/" + own + "%20", "/v1/workspaces/a%0d%0ab",
		"/v1/workspaces/" + own + "\\keys", "/v1/workspaces/" + own + ";x=1", "/v1/workspaces/" + own + ":explode", "/V1/workspaces",
		"/v1/workspaces/" + own + "/keys/a/b", "/openapi.json/", "/naksha.tenant.v1.WorkspaceService/GetWorkspace", "/v1/workspaces/*",
	} {
		u, err := url.Parse("https://" + w.door.DoorAddr())
		if err != nil {
			t.Fatal(err)
		}
		u.Opaque = "//" + w.door.DoorAddr() + path // sent as it is written here
		r := &http.Request{Method: "GET", URL: u, Host: u.Host, Header: http.Header{"Authorization": {"Bearer " + adminKey}}}
		answer, err := w.send(r.WithContext(t.Context()))
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		wantProblem(t, path, answer, 404, "PATH_UNKNOWN")
	}
	if calls := w.tenant.calls(); len(calls) != 0 {
		t.Errorf("odd paths reached the service: %v", calls)
	}
}

func TestAPathSaysWhatItTakes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, gateway.Deps{})
	for _, test := range []struct{ method, path, allow string }{
		{"PUT", "/v1/workspaces", "GET, POST"},
		{"POST", "/v1/workspaces/" + own, "GET, DELETE"},
		{"OPTIONS", "/v1/caller", "GET"},
		{"TRACE", "/v1/platform", "GET"},
		{"POST", "/openapi.json", "GET, HEAD"},
		{"PATCH", "/healthz", "GET, HEAD"},
		{"GET", "/v1/workspaces/" + own + "/restores/1:undo", "POST"},
	} {
		answer := w.do(t, adminKey, test.method, test.path, "", "X-HTTP-Method-Override", "GET")
		wantProblem(t, test.method+" "+test.path, answer, 405, "HTTP_METHOD_NOT_ALLOWED")
		if allow := answer.header.Get("Allow"); allow != test.allow {
			t.Errorf("%s %s: Allow is %q, want %q", test.method, test.path, allow, test.allow)
		}
	}
}

func TestPagesNeedNoKey(t *testing.T) {
	t.Parallel()
	w := newWorld(t, gateway.Deps{})
	if answer := w.do(t, "", "GET", "/healthz", ""); answer.status != 200 || answer.text != "ok\n" {
		t.Errorf("healthz: %d %q", answer.status, answer.text)
	}
	answer := w.do(t, "", "GET", "/openapi.json", "")
	paths, _ := answer.body["paths"].(map[string]any)
	definitions, _ := answer.body["definitions"].(map[string]any)
	if answer.status != 200 || paths["/v1/workspaces"] == nil || definitions["Problem"] == nil || answer.body["securityDefinitions"] == nil {
		t.Errorf("openapi.json: %d %.200s", answer.status, answer.text)
	}
	for name, value := range map[string]string{
		"Server": "naksha", "X-Content-Type-Options": "nosniff", "Strict-Transport-Security": "max-age=31536000",
		"Access-Control-Allow-Origin": "", "Content-Type": "application/json",
	} {
		if got := answer.header.Get(name); got != value {
			t.Errorf("%s is %q, want %q", name, got, value)
		}
	}
}

// A client that is generated writes a variable of a path as one segment, a slash in it as %2F, which no path here has.
func TestDocumentShowsEveryPathWithOneSegmentPerVariable(t *testing.T) {
	t.Parallel()
	w := newWorld(t, gateway.Deps{})
	shown := map[string]bool{}
	variable := regexp.MustCompile(`\{[a-zA-Z]+\}`)
	paths, _ := w.do(t, "", "GET", "/openapi.json", "").body["paths"].(map[string]any)
	for path, operations := range paths {
		for method := range operations.(map[string]any) {
			shown[strings.ToUpper(method)+" "+variable.ReplaceAllString(path, "*")] = true
		}
	}
	declared := map[string]bool{}
	resource := regexp.MustCompile(`\{[a-z_]+=([^}]+)\}`)
	for _, rule := range rules(t) {
		declared[rule.Method+" "+resource.ReplaceAllString(rule.Path, "$1")] = true
	}
	if !maps.Equal(shown, declared) {
		t.Errorf("the document has %v, declared are %v", slices.Sorted(maps.Keys(shown)), slices.Sorted(maps.Keys(declared)))
	}
}

func TestRequestIDsAreTakenWhenTheyAreSafe(t *testing.T) {
	t.Parallel()
	w := newWorld(t, gateway.Deps{})
	if answer := w.do(t, ownKey, "GET", "/v1/caller", "", "X-Request-Id", "mine-1"); answer.header.Get("X-Request-Id") != "mine-1" {
		t.Errorf("a good id is not kept: %v", answer.header)
	}
	for _, sent := range []string{"", "a b", "a\"b", strings.Repeat("a", 65), "<script>", "ä"} {
		answer := w.do(t, "", "GET", "/v1/caller", "", "X-Request-Id", sent)
		if got := answer.header.Get("X-Request-Id"); got == sent || got == "" || got != answer.body["request_id"] {
			t.Errorf("%q became %q in %s", sent, got, answer.text)
		}
	}
}
