package obs_test

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/naksha-cloud/naksha/pkg/obs"
)

func TestWebPagesAreRefused(t *testing.T) {
	t.Parallel()
	loopback, network := net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)}, net.TCPAddr{IP: net.IPv4(10, 0, 0, 7)}
	for name, test := range map[string]struct {
		host   string
		header http.Header
		at     net.TCPAddr
		want   int
	}{
		"a program":                        {"127.0.0.1:7890", nil, loopback, 200},
		"by IPv6":                          {"[::1]:7890", nil, loopback, 200},
		"by localhost":                     {"LocalHost:7890", nil, loopback, 200},
		"by the configured name":           {"ops.example.com:7890", nil, loopback, 200},
		"without a port":                   {"127.0.0.1", nil, loopback, 200},
		"an old program without a host":    {"", nil, loopback, 200},
		"a rebound name":                   {"evil.example.com:7890", nil, loopback, 403},
		"a name that begins like an IP":    {"127.0.0.1.evil.example.com:7890", nil, loopback, 403},
		"a name that begins like ours":     {"localhost.evil.example.com", nil, loopback, 403},
		"a deployment's name":              {"naksha.naksha.svc:7890", nil, network, 200},
		"a page elsewhere":                 {"127.0.0.1:7890", http.Header{"Origin": {"https://evil.example.com"}}, loopback, 403},
		"a page without a name":            {"127.0.0.1:7890", http.Header{"Origin": {"null"}}, loopback, 403},
		"a page on a deployment's name":    {"naksha.naksha.svc", http.Header{"Origin": {"http://naksha.naksha.svc"}}, network, 403},
		"a picture on a page":              {"127.0.0.1:7890", http.Header{"Sec-Fetch-Site": {"cross-site"}}, loopback, 403},
		"a page of another port":           {"127.0.0.1:7890", http.Header{"Sec-Fetch-Site": {"same-site"}}, loopback, 403},
		"an operator who types an address": {"127.0.0.1:7890", http.Header{"Sec-Fetch-Site": {"none"}}, loopback, 200},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := httptest.NewRequestWithContext(context.WithValue(t.Context(), http.LocalAddrContextKey, &test.at), "PUT", "/loglevel", nil)
			r.Host = test.host
			if test.header != nil {
				r.Header = test.header
			}
			w := httptest.NewRecorder()
			obs.ForPrograms("ops.example.com:7890", http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})).ServeHTTP(w, r)
			if w.Code != test.want {
				t.Errorf("answered %d %s", w.Code, w.Body)
			}
		})
	}
}

func TestAWebPageDoesNotChangeTheLogLevel(t *testing.T) {
	t.Parallel()
	base, tenant, _ := admin(t, nil)
	for name, change := range map[string]func(*http.Request){
		"a page elsewhere": func(r *http.Request) { r.Header.Set("Origin", "https://evil.example.com") },
		"a rebound name":   func(r *http.Request) { r.Host = "evil.example.com" },
	} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPut, base+"/loglevel", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		change(r)
		reply, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = reply.Body.Close()
		if reply.StatusCode != http.StatusForbidden {
			t.Errorf("%s: %s", name, reply.Status)
		}
	}
	if got := tenant.Level.Level().String(); got != "INFO" {
		t.Errorf("the level is %s", got)
	}
}
