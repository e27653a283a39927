package gateway_test

import (
	"bytes"
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"github.com/naksha-cloud/naksha/pkg/obs"
	"github.com/naksha-cloud/naksha/services/gateway"
)

// lines is what was logged.
type lines struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func telemetry(t testing.TB, w io.Writer) *obs.Telemetry {
	t.Helper()
	found, err := obs.New(obs.Config{Service: "gateway", Level: slog.LevelDebug, Format: "json"}, w)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestEveryCallIsLoggedWithItsIDAndWithoutItsKey(t *testing.T) {
	t.Parallel()
	log := &lines{}
	w := newWorld(t, gateway.Deps{Telemetry: telemetry(t, log)})
	w.do(t, ownKey, "GET", "/v1/caller", "", "X-Request-Id", "fine-1")
	w.do(t, ownKey, "GET", "/v1/platform", "", "X-Request-Id", "denied-1")
	w.do(t, strangeKey, "GET", "/v1/caller", "", "X-Request-Id", "refused-1")
	w.do(t, adminKey, "GET", "/v1/workspaces/"+own+"/snapshots", "", "X-Request-Id", "away-1")
	text := log.String()
	for id, part := range map[string]string{
		"fine-1": `"msg":"call done"`, "denied-1": `"reason":"PERMISSION_MISSING"`, "refused-1": `"reason":"KEY_UNKNOWN"`,
		"away-1": `"msg":"call failed"`,
	} {
		if !hasLine(text, `"request_id":"`+id+`"`, part) {
			t.Errorf("no line with %s and %s in:\n%s", id, part, text)
		}
	}
	if !hasLine(text, `"request_id":"denied-1"`, `"workspace":"`+own+`"`) {
		t.Error("the line does not name the caller's workspace")
	}
	for _, secret := range []string{ownKey, strangeKey, adminKey, secretTail} {
		if strings.Contains(text, secret) {
			t.Errorf("the log shows a key: %s", secret)
		}
	}
}

func hasLine(text string, parts ...string) bool {
	for line := range strings.Lines(text) {
		all := true
		for _, part := range parts {
			all = all && strings.Contains(line, part)
		}
		if all {
			return true
		}
	}
	return false
}

func TestAttemptsAndCallsAreMeasured(t *testing.T) {
	t.Parallel()
	seen := telemetry(t, io.Discard)
	w := newWorld(t, gateway.Deps{Telemetry: seen})
	w.do(t, ownKey, "GET", "/v1/caller", "")
	w.do(t, strangeKey, "GET", "/v1/caller", "")
	w.do(t, "", "GET", "/v1/caller", "")
	families, err := seen.Registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	for _, family := range families {
		found[family.GetName()] = family.String()
	}
	for _, outcome := range []string{"granted", "refused", "missing"} {
		if !strings.Contains(found["naksha_auth_attempts_total"], `value:"`+outcome+`"`) {
			t.Errorf("outcome %s is not counted: %s", outcome, found["naksha_auth_attempts_total"])
		}
	}
	if !strings.Contains(found["naksha_gateway_call_duration_seconds"], "/naksha.gateway.v1.PlatformService/GetCaller") {
		t.Errorf("calls are not measured: %v", found)
	}
}
