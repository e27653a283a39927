package rest_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/naksha-cloud/naksha/services/gateway/internal/api/call"
	"github.com/naksha-cloud/naksha/services/gateway/internal/api/rest"
	"github.com/naksha-cloud/naksha/services/gateway/internal/key"
	"github.com/naksha-cloud/naksha/services/gateway/internal/permission"
	"github.com/naksha-cloud/naksha/services/gateway/internal/problem"
)

// sink stands where the services are: it takes what can be encoded and answers with nothing. A request that cannot be
// encoded must have been refused before.
type sink struct{ calls int }

// Invoke takes one request.
func (s *sink) Invoke(_ context.Context, _ string, in, _ any, _ ...grpc.CallOption) error {
	s.calls++
	_, err := proto.Marshal(in.(proto.Message))
	return err
}

// NewStream refuses.
func (*sink) NewStream(context.Context, *grpc.StreamDesc, string, ...grpc.CallOption) (grpc.ClientStream, error) {
	return nil, context.Canceled
}

func handler(tb testing.TB) (*rest.Handler, *sink) {
	tb.Helper()
	methods, err := call.NewRegistry(protoregistry.GlobalFiles, protoregistry.GlobalTypes)
	if err != nil {
		tb.Fatal(err)
	}
	s := &sink{}
	h, err := rest.New(&call.Pipeline{
		Methods: methods, Roles: permission.Default(), Timeout: time.Minute,
		Conns: func(string) (grpc.ClientConnInterface, error) { return s, nil },
	}, 1<<16)
	if err != nil {
		tb.Fatal(err)
	}
	return h, s
}

// serve sends one request as an operator and checks that the answer is one of ours.
func serve(t *testing.T, h *rest.Handler, r *http.Request) int {
	t.Helper()
	w := httptest.NewRecorder()
	visit := &call.Visit{RequestID: "fuzz", Who: key.Identity{KID: "AAAAAAAAAAAA", Kind: key.Admin}}
	h.ServeHTTP(w, r.WithContext(call.With(t.Context(), visit)))
	if w.Code == http.StatusOK {
		return w.Code
	}
	var p problem.Problem
	if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil || p.Status != w.Code || p.Reason == "" || p.Remedy == "" {
		t.Fatalf("%s %s: %d %s", r.Method, r.URL, w.Code, w.Body)
	}
	if w.Code < 400 || w.Code > 499 {
		t.Fatalf("%s %s: %d %s", r.Method, r.URL, w.Code, w.Body)
	}
	return w.Code
}

// FuzzPath sends any path and query; nothing of it may be an error of ours, nor a way around a name's form.
func FuzzPath(f *testing.F) {
	for _, seed := range []string{
		"/v1/workspaces/abcdefghijklmnopqrst", "/v1/workspaces?pageSize=3&filter=a", "/v1/workspaces/%2e%2e/keys", "/v1/x%00",
		"/v1/workspaces/a/restores/b:undo", "/v1/services/tenant/events?afterVersion=-1", "/v1/workspaces?pageToken=%ff", "//",
		"/v1/workspaces/a:b:c", "/v1/incidents?state=9", "/v1/services/tenant/heads?sinceTime=now", "/v1/workspaces/a;b",
	} {
		f.Add("GET", seed)
		f.Add("DELETE", seed)
	}
	h, _ := handler(f)
	f.Fuzz(func(t *testing.T, method, target string) {
		u, err := url.ParseRequestURI(target)
		if err != nil || strings.ContainsAny(method, " \r\n") {
			return // net/http refuses these by itself
		}
		code := serve(t, h, &http.Request{Method: method, URL: u, Header: http.Header{}, Body: http.NoBody})
		if raw := strings.ToLower(u.EscapedPath()); code == http.StatusOK && (strings.Contains(raw, "%2f") || strings.Contains(raw, "..")) {
			t.Errorf("%s passed", target)
		}
	})
}

// FuzzBody sends any body to a method with a nested request.
func FuzzBody(f *testing.F) {
	for _, seed := range []string{
		`{}`, `{"silence":{"matchers":[{"label":"a","value":"b"}],"endTime":"2026-01-01T00:00:00Z"}}`, `{"silence":1}`, `[`, `null`,
		`{"silence":{"endTime":"x"}}`, `{"silence":{"matchers":{}}}`, "\xff", `{"a":"\ud800"}`, `{"silence":{"silence":{}}}`, `1e999`,
	} {
		f.Add([]byte(seed))
	}
	h, _ := handler(f)
	f.Fuzz(func(t *testing.T, body []byte) {
		r := httptest.NewRequest("POST", "/v1/silences", strings.NewReader(string(body)))
		r.Header.Set("Content-Type", "application/json")
		serve(t, h, r)
	})
}
