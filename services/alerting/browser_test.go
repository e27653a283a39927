package alerting_test

import (
	"net/http"
	"strings"
	"testing"
)

func TestAWebPageSilencesNothing(t *testing.T) {
	t.Parallel()
	h := newHouse(t, "")
	s := h.start(nil)
	const silence = `{"matchers":[{"name":"severity","value":"sev1"}],"endsAt":"2099-01-01T00:00:00Z","createdBy":"x","comment":"x"}`
	for name, test := range map[string]struct {
		change func(*http.Request)
		status int
	}{
		"a body without a type, as of a Blob": {func(*http.Request) {}, 400},
		"a type that needs no leave":          {func(r *http.Request) { r.Header.Set("Content-Type", "text/plain") }, 400},
		"a page elsewhere": {func(r *http.Request) {
			r.Header.Set("Content-Type", "application/json")
			r.Header.Set("Origin", "https://evil.example.com")
		}, 403},
		"a rebound name": {func(r *http.Request) {
			r.Header.Set("Content-Type", "application/json")
			r.Host = "evil.example.com"
		}, 403},
	} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+s.HTTPAddr()+"/api/v2/silences", strings.NewReader(silence))
		if err != nil {
			t.Fatal(err)
		}
		test.change(request)
		reply, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		_ = reply.Body.Close()
		if reply.StatusCode != test.status {
			t.Errorf("%s: %s", name, reply.Status)
		}
	}
	if _, text := h.do(s, "GET", "/api/v2/silences", ""); strings.TrimSpace(text) != "[]" {
		t.Errorf("silences: %s", text)
	}
	if status, text := h.post(s, "/api/v2/silences", silence); status != 200 { // as amtool sends it
		t.Errorf("a program: %d %s", status, text)
	}
}
