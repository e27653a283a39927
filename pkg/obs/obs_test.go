package obs_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/naksha-cloud/naksha/pkg/caller"
	"github.com/naksha-cloud/naksha/pkg/conf"
	"github.com/naksha-cloud/naksha/pkg/fault"
	"github.com/naksha-cloud/naksha/pkg/obs"
)

func telemetry(t *testing.T, cfg obs.Config) (*obs.Telemetry, *bytes.Buffer) {
	t.Helper()
	if cfg.Service == "" {
		cfg.Service = "tenant"
	}
	log := &bytes.Buffer{}
	tel, err := obs.New(cfg, log)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for range 2 {
			if err := tel.Shutdown(context.Background()); err != nil {
				t.Errorf("shutdown: %v", err)
			}
		}
	})
	return tel, log
}

func TestLogLineCarriesTheIDsOfItsRequest(t *testing.T) {
	t.Parallel()
	tel, log := telemetry(t, obs.Config{Format: "json"})
	ctx := caller.With(t.Context(), caller.Caller{Kind: caller.Secret, Workspace: "w1", RequestID: "r1"})
	ctx, span := tel.Span(ctx, "work")
	tel.Log.With("a", 1).InfoContext(ctx, "did it")
	span.End()
	var line map[string]any
	if err := json.Unmarshal(log.Bytes(), &line); err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]any{
		"msg": "did it", "service": "tenant", "request_id": "r1", "workspace": "w1", "a": 1.0,
		"trace_id": span.SpanContext().TraceID().String(), "span_id": span.SpanContext().SpanID().String(),
	} {
		if line[key] != want {
			t.Errorf("%s = %v, want %v", key, line[key], want)
		}
	}
}

func TestSecretsNeverReachTheLog(t *testing.T) {
	t.Parallel()
	for _, format := range []string{"text", "json"} {
		tel, log := telemetry(t, obs.Config{Format: format})
		tel.Log.Info("dial postgres://u:hunter2@db/x",
			"password", "hunter2", "DB_PASSWORD", "hunter2", "api_token", []string{"hunter2"}, "Authorization", "Bearer hunter2",
			"secret_key", conf.Secret("hunter2"), "value", conf.Secret("hunter2"),
			"url", "see postgres://u:hunter2@db/x?a=b", "error", errors.New("dial nats://u:hunter2@bus: refused"),
			slog.Group("nested", "client_secret", "hunter2"))
		if strings.Contains(log.String(), "hunter2") || strings.Count(log.String(), "REDACTED") < 10 {
			t.Errorf("%s: %s", format, log)
		}
		if !strings.Contains(log.String(), "@bus: refused") {
			t.Errorf("the rest of the error is gone: %s", log)
		}
	}
}

func TestLevelChangesAtRunTime(t *testing.T) {
	t.Parallel()
	tel, log := telemetry(t, obs.Config{})
	derived := tel.Log.With("x", 1)
	derived.Debug("quiet")
	tel.Level.Set(slog.LevelDebug)
	derived.Debug("loud")
	if strings.Contains(log.String(), "quiet") || !strings.Contains(log.String(), "loud") {
		t.Errorf("log = %s", log)
	}
}

func TestUnknownFormatIsRefused(t *testing.T) {
	t.Parallel()
	if _, err := obs.New(obs.Config{Format: "xml"}, &bytes.Buffer{}); err == nil || !strings.Contains(err.Error(), "text or json") {
		t.Errorf("error = %v", err)
	}
}

func TestTraceCrossesAHeaderMapWithRawKeys(t *testing.T) {
	t.Parallel()
	spans := tracetest.NewInMemoryExporter()
	tel, _ := telemetry(t, obs.Config{SpanExporter: spans})
	ctx, sent := tel.Span(t.Context(), "publish")
	header := map[string][]string{}
	tel.Inject(ctx, header)
	if len(header["traceparent"]) != 1 {
		t.Fatalf("header = %v, want the raw key traceparent", header)
	}
	_, received := tel.Span(tel.Extract(t.Context(), header), "handle")
	obs.End(received, fault.NotFound("GONE", "It is gone."))
	obs.End(sent, nil)
	got := spans.GetSpans()
	if len(got) != 2 || got[0].SpanContext.TraceID() != sent.SpanContext().TraceID() || got[0].Parent.SpanID() != sent.SpanContext().SpanID() {
		t.Errorf("spans = %+v, want one trace", got)
	}
	if got[0].Status.Description != "GONE" {
		t.Errorf("status = %+v, want the reason", got[0].Status)
	}
	if keys := obs.HeaderCarrier(header).Keys(); len(keys) != 1 {
		t.Errorf("keys = %v", keys)
	}
}

func TestStatementIsShownByNameOnly(t *testing.T) {
	t.Parallel()
	for sql, want := range map[string]string{
		"-- name: ClaimSlot\nUPDATE slot SET x = 'secret'": "ClaimSlot",
		"\n  -- ListWorkspaces\nSELECT 1":                  "ListWorkspaces",
		"select secret from t":                             "SELECT",
		"begin;":                                           "BEGIN",
		"":                                                 "",
		"aVeryLongIdentifierThatIsNoKeyword":               "QUERY",
	} {
		if got := obs.StatementName(sql); got != want {
			t.Errorf("name of %q = %q, want %q", sql, got, want)
		}
	}
}

func TestSpansReachTheCollectorAndItsLossIsLoggedOnce(t *testing.T) {
	t.Parallel()
	var down atomic.Bool
	paths := make(chan string, 8)
	collector := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if down.Load() {
			w.WriteHeader(http.StatusBadRequest) // not tried again
		}
		paths <- r.URL.Path
	}))
	defer collector.Close()
	tel, log := telemetry(t, obs.Config{OTLPEndpoint: collector.URL})
	export := func() {
		_, span := tel.Span(t.Context(), "work")
		span.End()
		if err := tel.Tracer.(interface{ ForceFlush(context.Context) error }).ForceFlush(t.Context()); err != nil {
			t.Errorf("flush: %v", err)
		}
		if path := <-paths; path != "/v1/traces" {
			t.Errorf("exported to %s", path)
		}
	}
	export()
	down.Store(true)
	export()
	export()
	down.Store(false)
	export()
	if strings.Count(log.String(), "export of traces fails") != 1 || strings.Count(log.String(), "works again") != 1 {
		t.Errorf("log = %s", log)
	}
}
