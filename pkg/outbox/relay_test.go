package outbox_test

import (
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/trace"

	"github.com/naksha-cloud/naksha/pkg/bus"
	"github.com/naksha-cloud/naksha/pkg/local/localtest"
	"github.com/naksha-cloud/naksha/pkg/outbox"
)

func eventually(t *testing.T, f func() bool) {
	t.Helper()
	for deadline := time.Now().Add(localtest.Patience); !f(); {
		if time.Now().After(deadline) {
			t.Fatal("still not so")
		}
		<-time.After(20 * time.Millisecond)
	}
}

func TestLargestFactTravels(t *testing.T) {
	t.Parallel()
	r, server := newRecord(t, "tenant"), localtest.NATS(t)
	r.relay(t, server)
	var members []string
	for range 20 {
		members = append(members, strings.Repeat("k", 100+len(members))+"="+strings.Repeat("v", 250))
	}
	state, err := trace.ParseTraceState(strings.Join(members, ","))
	if err != nil {
		t.Fatal(err)
	}
	ctx := trace.ContextWithSpanContext(t.Context(), trace.NewSpanContext(trace.SpanContextConfig{
		TraceID: trace.TraceID{1}, SpanID: trace.SpanID{1}, TraceState: state,
	}))
	large := created("workspaces/" + strings.Repeat("x", 500))
	large.DisplayName = strings.Repeat("x", bus.MaxMessage-16<<10-1000)
	if err := r.tell(ctx, outbox.Fact{Aggregate: large.GetWorkspace(), Workspace: ref, Message: large}); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() bool { return r.waiting(t) == 0 })
	for name, fact := range map[string]outbox.Fact{
		"with a name of many lines": {Aggregate: "a\nb", Message: created("x")},
		"with a long name":          {Aggregate: strings.Repeat("x", 513), Message: created("x")},
	} {
		if err := r.tell(t.Context(), fact); err == nil {
			t.Errorf("recorded a fact %s", name)
		}
	}
}

func TestRelayIsMeasured(t *testing.T) {
	t.Parallel()
	r, server := newRecord(t, "tenant"), localtest.NATS(t)
	relay := r.relay(t, server)
	r.emitMany(t, 200, 10)
	eventually(t, func() bool { return r.waiting(t) == 0 && relay.Stats().Published == 200 })
	reader := metric.NewManualReader()
	if err := relay.Measure(metric.NewMeterProvider(metric.WithReader(reader)).Meter("test")); err != nil {
		t.Fatal(err)
	}
	var measured metricdata.ResourceMetrics
	if err := reader.Collect(t.Context(), &measured); err != nil {
		t.Fatal(err)
	}
	values := map[string]float64{}
	for _, m := range measured.ScopeMetrics[0].Metrics {
		switch data := m.Data.(type) {
		case metricdata.Sum[int64]:
			values[m.Name] = float64(data.DataPoints[0].Value)
		case metricdata.Gauge[int64]:
			values[m.Name] = float64(data.DataPoints[0].Value)
		case metricdata.Gauge[float64]:
			values[m.Name] = data.DataPoints[0].Value
		}
	}
	for name, want := range map[string]float64{
		"published": 200, "backlog": 0, "lag": 0, "batches": 1, "retries": 0, "takeovers": 0, "resets": 0,
	} {
		if got, ok := values["naksha.outbox."+name]; !ok || got != want && name != "batches" {
			t.Errorf("%s is %v, not %v", name, got, want)
		}
	}
}
