package alerting_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/naksha-cloud/naksha/pkg/clock"
)

// listed is an alert as a client of the HTTP API sees it.
type listed struct {
	Labels      map[string]string
	Annotations map[string]string
	StartsAt    time.Time
	EndsAt      time.Time
	Fingerprint string
	Status      struct {
		State      string
		SilencedBy []string
	}
}

func TestAnswersBadInputClearly(t *testing.T) {
	t.Parallel()
	h := newHouse(t, "")
	s := h.start(nil)
	deep := strings.Repeat("[", 100_000)
	for name, c := range map[string]struct {
		method, path, body string
		status             int
		says               string
	}{
		"empty":                  {"POST", "/api/v2/alerts", ``, 400, "ends too early"},
		"not JSON":               {"POST", "/api/v2/alerts", `hello`, 400, "malformed at byte"},
		"an object":              {"POST", "/api/v2/alerts", `{}`, 400, "JSON array"},
		"null":                   {"POST", "/api/v2/alerts", `null`, 400, "not null"},
		"two arrays":             {"POST", "/api/v2/alerts", `[][]`, 400, "something follows"},
		"cut off":                {"POST", "/api/v2/alerts", `[{"labels":{"a":"b"}`, 400, "ends too early"},
		"deep":                   {"POST", "/api/v2/alerts", deep, 400, "JSON array"},
		"null alert":             {"POST", "/api/v2/alerts", `[null]`, 400, "alert 1: at least one label"},
		"number label":           {"POST", "/api/v2/alerts", `[{"labels":{"a":1}}]`, 400, "must not be a number"},
		"labels are a list":      {"POST", "/api/v2/alerts", `[{"labels":[]}]`, 400, "labels must not be a array"},
		"wrong time":             {"POST", "/api/v2/alerts", `[{"labels":{"a":"b"},"startsAt":"yesterday"}]`, 400, "RFC 3339"},
		"ends before it starts":  {"POST", "/api/v2/alerts", `[{"labels":{"a":"b"},"startsAt":"2026-01-02T00:00:00Z","endsAt":"2026-01-01T00:00:00Z"}]`, 400, "before end"},
		"NUL":                    {"POST", "/api/v2/alerts", `[{"labels":{"a":"\u0000"}}]`, 400, "without NUL"},
		"too large":              {"POST", "/api/v2/alerts", `["` + strings.Repeat("x", 9<<20) + `"]`, 413, "too large"},
		"too many":               {"POST", "/api/v2/alerts", "[" + strings.Repeat("{},", 10_000) + "{}]", 400, "at most 10000"},
		"unknown path":           {"GET", "/api/v2/nothing", ``, 404, "not found"},
		"wrong method":           {"DELETE", "/api/v2/alerts", ``, 405, "Not Allowed"},
		"wrong flag":             {"GET", "/api/v2/alerts?active=maybe", ``, 400, "true or false"},
		"wrong filter":           {"GET", "/api/v2/alerts?filter=nothing", ``, 400, "operator"},
		"wrong expression":       {"GET", "/api/v2/alerts?filter=a=~(", ``, 400, "expression"},
		"wrong receiver":         {"GET", "/api/v2/alerts?receiver=(", ``, 400, "expression"},
		"no silence id":          {"GET", "/api/v2/silence/..", ``, 404, ""},
		"silence id":             {"GET", "/api/v2/silence/'%20OR%201=1", ``, 400, "UUID"},
		"unknown silence":        {"GET", "/api/v2/silence/0197a2c0-0000-7000-8000-000000000000", ``, 404, "no such silence"},
		"unknown silence's end":  {"DELETE", "/api/v2/silence/0197a2c0-0000-7000-8000-000000000000", ``, 404, "no such silence"},
		"silence of nothing":     {"POST", "/api/v2/silences", `{"endsAt":"2099-01-01T00:00:00Z"}`, 400, "matchers"},
		"silence of everything":  {"POST", "/api/v2/silences", `{"matchers":[{"name":"a","value":".*","isRegex":true}],"endsAt":"2099-01-01T00:00:00Z"}`, 400, "mute everything"},
		"silence in the past":    {"POST", "/api/v2/silences", `{"matchers":[{"name":"a","value":"b"}],"endsAt":"2000-01-01T00:00:00Z"}`, 400, "future"},
		"silence without an end": {"POST", "/api/v2/silences", `{"matchers":[{"name":"a","value":"b"}]}`, 400, "future"},
		"silence, wrong type":    {"POST", "/api/v2/silences", `{"matchers":"all"}`, 400, "must not be a string"},
		"silence, expression":    {"POST", "/api/v2/silences", `{"matchers":[{"name":"a","value":"(","isRegex":true}],"endsAt":"2099-01-01T00:00:00Z"}`, 400, "expression"},
		"silence, unknown id":    {"POST", "/api/v2/silences", `{"id":"0197a2c0-0000-7000-8000-000000000000","matchers":[{"name":"a","value":"b"}],"endsAt":"2099-01-01T00:00:00Z"}`, 404, "no such silence"},
	} {
		status, text := h.do(s, c.method, c.path, c.body)
		if status != c.status || !strings.Contains(text, c.says) {
			t.Errorf("%s: %d %.200s; want %d, %q", name, status, text, c.status, c.says)
		}
	}
	if got := h.listed(s, ""); len(got) != 0 {
		t.Errorf("something was kept: %v", got)
	}
}

// listed are the alerts that GET shows.
func (h *house) listed(s interface{ HTTPAddr() string }, query string) (all []listed) {
	h.Helper()
	reply, err := http.Get("http://" + s.HTTPAddr() + "/api/v2/alerts" + query)
	if err != nil {
		h.Fatal(err)
	}
	defer reply.Body.Close()
	if err := json.NewDecoder(reply.Body).Decode(&all); err != nil {
		h.Fatal(err)
	}
	return all
}

func TestKeepsTheValidAlertsOfABatch(t *testing.T) {
	t.Parallel()
	h := newHouse(t, "")
	s := h.start(nil)
	status, text := h.post(s, "/api/v2/alerts", `[
		{"labels":{"alertname":"Good","severity":"info","leer":""},"unknown":1},
		{"labels":{"alertname":""}},
		{"labels":7},
		{"labels":{"имя":"ελ 🔥","severity":"info"},"annotations":{"summary":"ok"}}]`)
	if status != 400 || !strings.Contains(text, "2 of 4 alerts were refused") || !strings.Contains(text, "\nalert 3: labels") {
		t.Errorf("%d %s", status, text)
	}
	got := h.listed(s, "")
	if len(got) != 2 {
		t.Fatalf("kept %v", got)
	}
	for _, a := range got {
		if _, there := a.Labels["leer"]; there || len(a.Fingerprint) != 16 || a.Status.State != "active" {
			t.Errorf("%+v", a)
		}
	}
	many := strings.Repeat(`{"labels":{"alertname":"Good","severity":"info"}},`, 600)
	if status, text = h.post(s, "/api/v2/alerts", "["+many+"{}]"); status != 400 || !strings.Contains(text, "alert 601: ") {
		t.Errorf("%d %s", status, text)
	}
	if status, text := h.post(s, "/api/v2/alerts", `[]`); status != 200 || text != "" {
		t.Errorf("an empty batch: %d %s", status, text)
	}
}

func TestMergesWhatPrometheusRepeats(t *testing.T) {
	t.Parallel()
	h := newHouse(t, "")
	now := clock.NewFake(wednesday)
	s := h.start(now)
	send := func(start, end, summary string) {
		h.alert(s, map[string]string{"alertname": "X", "severity": "info"},
			fmt.Sprintf(`,"startsAt":%q,"endsAt":%q,"annotations":{"summary":%q}`, start, end, summary))
	}
	send("2026-11-25T09:58:00Z", "2026-11-25T10:04:00Z", "first")
	now.Advance(time.Minute)
	send("2026-11-25T09:57:00Z", "2026-11-25T10:05:00Z", "second")
	got := h.listed(s, "")
	if len(got) != 1 || !got[0].StartsAt.Equal(wednesday.Add(-3*time.Minute)) || !got[0].EndsAt.Equal(wednesday.Add(5*time.Minute)) ||
		got[0].Annotations["summary"] != "second" {
		t.Fatalf("%+v", got)
	}
	send("2026-11-25T09:58:00Z", "2026-11-25T10:01:00Z", "over")
	if got := h.listed(s, ""); len(got) != 0 {
		t.Errorf("resolved, and still shown: %+v", got)
	}
}

func TestFiltersAlertsAndSilencesAsAlertmanagerDoes(t *testing.T) {
	t.Parallel()
	h := newHouse(t, "")
	s := h.start(nil)
	for _, job := range []string{"api", "web"} {
		h.alert(s, map[string]string{"alertname": "Down", "severity": "info", "job": job}, "")
	}
	status, text := h.post(s, "/api/v2/silences",
		`{"matchers":[{"name":"job","value":"a.+","isRegex":true}],"endsAt":"2099-01-01T00:00:00Z","createdBy":"Ada","comment":"x"}`)
	var made struct{ SilenceID string }
	if err := json.Unmarshal([]byte(text), &made); err != nil || status != 200 {
		t.Fatalf("%d %s %v", status, text, err)
	}
	for query, want := range map[string]int{
		"":                                       2,
		"?silenced=false":                        1,
		"?active=false":                          1,
		"?active=false&silenced=false":           0,
		`?filter=job="web"`:                      1,
		`?filter=job%3D~"a.*|w.*"&filter=job!=x`: 2,
		`?filter=nope=""`:                        2,
		"?receiver=naksha":                       2,
		"?receiver=other":                        0,
	} {
		if got := h.listed(s, query); len(got) != want {
			t.Errorf("%s shows %d, want %d", query, len(got), want)
		}
	}
	_, text = h.do(s, "GET", `/api/v2/silences?filter=job%3D~".*"`, "")
	if !strings.Contains(text, made.SilenceID) || !strings.Contains(text, `"state":"active"`) {
		t.Errorf("silences: %s", text)
	}
	h.do(s, "DELETE", "/api/v2/silence/"+made.SilenceID, "")
	if _, text = h.do(s, "GET", "/api/v2/silence/"+made.SilenceID, ""); !strings.Contains(text, `"state":"expired"`) {
		t.Errorf("after its end: %s", text)
	}
	for path, says := range map[string]string{
		"/api/v2/status": `"cluster"`, "/api/v2/receivers": `[{"name":"naksha"}]`, "/api/v2/alerts/groups": `"alertname":"Down"`,
		"/-/healthy": "OK", "/-/ready": "OK",
	} {
		if status, text := h.do(s, "GET", path, ""); status != 200 || !strings.Contains(text, says) {
			t.Errorf("%s: %d %s", path, status, text)
		}
	}
}

func TestReplacesASilenceAsAlertmanagerDoes(t *testing.T) {
	t.Parallel()
	h := newHouse(t, "")
	s := h.start(nil)
	put := func(id, value, end string) string {
		status, text := h.post(s, "/api/v2/silences", fmt.Sprintf(
			`{"id":%q,"matchers":[{"name":"job","value":%q,"isRegex":false}],"endsAt":%q,"createdBy":"Ada","comment":"x"}`, id, value, end))
		var made struct{ SilenceID string }
		if err := json.Unmarshal([]byte(text), &made); err != nil || status != 200 {
			t.Fatalf("%d %s %v", status, text, err)
		}
		return made.SilenceID
	}
	first := put("", "api", "2098-01-01T00:00:00Z")
	if again := put(first, "api", "2099-01-01T00:00:00Z"); again != first {
		t.Errorf("a longer end made a new silence")
	}
	second := put(first, "web", "2099-01-01T00:00:00Z")
	if second == first {
		t.Error("other matchers kept the id")
	}
	if _, text := h.do(s, "GET", "/api/v2/silence/"+first, ""); !strings.Contains(text, `"state":"expired"`) || !strings.Contains(text, `"value":"api"`) {
		t.Errorf("the replaced one: %s", text)
	}
	if _, text := h.do(s, "GET", "/api/v2/silence/"+second, ""); !strings.Contains(text, `"state":"active"`) {
		t.Errorf("the new one: %s", text)
	}
}

func TestAsksForTheToken(t *testing.T) {
	t.Parallel()
	h := newHouse(t, "")
	h.config.HTTPToken = "s3cret"
	s := h.start(nil)
	for token, want := range map[string]int{"": 401, "Bearer wrong": 401, "Basic s3cret": 401, "Bearer s3cret": 200} {
		request, err := http.NewRequestWithContext(t.Context(), "POST", "http://"+s.HTTPAddr()+"/api/v2/alerts", strings.NewReader(`[]`))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Authorization", token)
		request.Header.Set("Content-Type", "application/json")
		reply, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		_ = reply.Body.Close()
		if reply.StatusCode != want {
			t.Errorf("%q: %d, want %d", token, reply.StatusCode, want)
		}
	}
	if status, _ := h.do(s, "GET", "/-/healthy", ""); status != 200 {
		t.Errorf("health asks for the token: %d", status)
	}
}
