package obs_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/metric"

	"github.com/naksha-cloud/naksha/pkg/local/localtest"
	"github.com/naksha-cloud/naksha/pkg/obs"
)

// admin starts a server for two services, one of which is not ready while broken says so.
func admin(t *testing.T, broken error) (base string, tenant, backup *obs.Telemetry) {
	t.Helper()
	tenant, _ = telemetry(t, obs.Config{Service: "tenant", Runtime: true})
	backup, _ = telemetry(t, obs.Config{Service: "backup"})
	a := obs.NewAdmin(obs.AdminConfig{Addr: "127.0.0.1:0", Log: tenant.Log},
		obs.Source{Telemetry: tenant, Checks: []obs.Check{{Name: "postgres", Ready: func(context.Context) error { return nil }}}},
		obs.Source{Telemetry: backup, Checks: []obs.Check{{Name: "bus", Ready: func(context.Context) error { return broken }}}})
	if err := a.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for range 2 {
			if err := a.Stop(context.Background()); err != nil {
				t.Errorf("stop: %v", err)
			}
		}
	})
	return "http://" + a.Addr(), tenant, backup
}

func ask(t *testing.T, method, url, body, accept string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Accept", accept)
	r.Close = true
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(text)
}

func TestMetricsOfAllServicesAreServedTogether(t *testing.T) {
	t.Parallel()
	base, tenant, backup := admin(t, nil)
	for i, tel := range []*obs.Telemetry{tenant, backup} {
		h, err := tel.Meter.Meter("test").Float64Histogram("naksha.job.duration", metric.WithUnit("s"))
		if err != nil {
			t.Fatal(err)
		}
		h.Record(t.Context(), float64(i)+0.002)
	}
	code, text := ask(t, "GET", base+"/metrics", "", "")
	for _, want := range []string{
		`naksha_job_duration_seconds_bucket{service="tenant",le="0.0025"} 1`,
		`naksha_job_duration_seconds_count{service="backup"} 1`,
		`go_goroutines{service="tenant"}`,
		`target_info{service="backup",service_name="backup"`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s in (%d)\n%s", want, code, text)
		}
	}
}

func TestReadinessNamesWhatFails(t *testing.T) {
	t.Parallel()
	broken, _, _ := admin(t, errors.New("no route to nats://u:hunter2@bus"))
	healthy, _, _ := admin(t, nil)
	for _, test := range []struct {
		url, accept string
		code        int
		text        string
	}{
		{healthy + "/livez", "", 200, "ok\n"},
		{healthy + "/readyz", "", 200, "ok\n"},
		{healthy + "/readyz?verbose", "", 200, "[+]tenant/postgres ok\n[+]backup/bus ok\nok\n"},
		{broken + "/livez", "", 200, "ok\n"},
		{broken + "/readyz", "", 503, "[-]backup/bus failed: no route to nats://u:REDACTED@bus\nnot ready\n"},
		{broken + "/readyz", "application/json", 503, `{"checks":[{"service":"tenant","check":"postgres","ok":true},` +
			`{"service":"backup","check":"bus","ok":false,"error":"no route to nats://u:REDACTED@bus"}],"ready":false}` + "\n"},
	} {
		if code, text := ask(t, "GET", test.url, "", test.accept); code != test.code || text != test.text {
			t.Errorf("%s: %d %q, want %d %q", test.url, code, text, test.code, test.text)
		}
	}
}

func TestLevelIsSetForOneOrAll(t *testing.T) {
	t.Parallel()
	base, tenant, backup := admin(t, nil)
	if code, text := ask(t, "PUT", base+"/loglevel?service=backup", "debug\n", ""); code != 200 || !strings.Contains(text, `"backup":"DEBUG"`) {
		t.Errorf("answer %d %s", code, text)
	}
	if tenant.Level.Level() != slog.LevelInfo || backup.Level.Level() != slog.LevelDebug {
		t.Errorf("levels %v and %v", tenant.Level, backup.Level)
	}
	ask(t, "PUT", base+"/loglevel", `"error"`, "")
	if tenant.Level.Level() != slog.LevelError || backup.Level.Level() != slog.LevelError {
		t.Errorf("levels %v and %v", tenant.Level, backup.Level)
	}
	if code, _ := ask(t, "PUT", base+"/loglevel", "loud", ""); code != 400 {
		t.Errorf("unknown level: %d", code)
	}
	if code, _ := ask(t, "PUT", base+"/loglevel?service=x", "info", ""); code != 404 {
		t.Errorf("unknown service: %d", code)
	}
	if code, text := ask(t, "GET", base+"/debug/pprof/goroutine?debug=1", "", ""); code != 200 || !strings.Contains(text, "goroutine profile") {
		t.Errorf("profile: %d", code)
	}
}

func TestServiceOfAnotherProcessIsShownAsIfItWereHere(t *testing.T) {
	t.Parallel()
	there, far, _ := admin(t, errors.New("bus away"))
	calls, err := far.Meter.Meter("test").Int64Counter("calls")
	if err != nil {
		t.Fatal(err)
	}
	calls.Add(t.Context(), 7)
	here, _ := telemetry(t, obs.Config{Service: "tenant"})
	remote := obs.Remote(there)
	a := obs.NewAdmin(obs.AdminConfig{Addr: "127.0.0.1:0"},
		obs.Source{Telemetry: here, Remote: remote, Checks: []obs.Check{{Name: "process", Ready: remote.Ready}}})
	if err := a.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = a.Stop(context.Background()) })
	base := "http://" + a.Addr()
	if code, text := ask(t, "GET", base+"/metrics", "", ""); code != 200 || !strings.Contains(text, "calls_total{") || !strings.Contains(text, "} 7\n") {
		t.Errorf("metrics: %d\n%s", code, text)
	}
	if code, text := ask(t, "GET", base+"/readyz", "", ""); code != 503 || !strings.Contains(text, "bus away") {
		t.Errorf("readiness: %d %s", code, text)
	}
	if code, text := ask(t, "PUT", base+"/loglevel?service=tenant", "debug", ""); code != 200 || far.Level.Level() != slog.LevelDebug {
		t.Errorf("log level: %d %s", code, text)
	}
	own, _ := telemetry(t, obs.Config{Service: "up"})
	gone := obs.NewAdmin(obs.AdminConfig{Addr: "127.0.0.1:0"}, obs.Source{Telemetry: own},
		obs.Source{Telemetry: here, Remote: "http://127.0.0.1:1"})
	if err := gone.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = gone.Stop(context.Background()) })
	if code, _ := ask(t, "PUT", "http://"+gone.Addr()+"/loglevel", "warn", ""); code != http.StatusBadGateway {
		t.Errorf("log level of a dead process: %d", code)
	}
	if code, _ := ask(t, "GET", "http://"+gone.Addr()+"/metrics", "", ""); code != 200 {
		t.Errorf("metrics beside a dead process: %d", code)
	}
}

func TestStuckCheckIsNotWaitedForLong(t *testing.T) {
	t.Parallel()
	tel, _ := telemetry(t, obs.Config{})
	a := obs.NewAdmin(obs.AdminConfig{Addr: "127.0.0.1:0"}, obs.Source{Telemetry: tel, Checks: []obs.Check{{
		Name: "stuck", Ready: func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() },
	}}})
	if err := a.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = a.Stop(context.Background()) }()
	began := time.Now()
	if code, _ := ask(t, "GET", "http://"+a.Addr()+"/readyz", "", ""); code != 503 || time.Since(began) > localtest.Bar(30*time.Second) {
		t.Errorf("%d after %v", code, time.Since(began))
	}
}
