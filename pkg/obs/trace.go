package obs

import (
	"context"
	"log/slog"
	"strings"
	"sync/atomic"

	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/naksha-cloud/naksha/pkg/fault"
)

// openTraces builds the tracer provider. Without an exporter spans record nothing, but keep their ids, so that log lines
// of one request still carry one trace id.
func (t *Telemetry) openTraces(cfg Config, res *resource.Resource) error {
	options := []sdktrace.TracerProviderOption{sdktrace.WithResource(res)}
	if cfg.OTLPEndpoint == "" && cfg.SpanExporter == nil {
		options = append(options, sdktrace.WithSampler(sdktrace.NeverSample()))
	}
	if cfg.SpanExporter != nil {
		options = append(options, sdktrace.WithSyncer(cfg.SpanExporter))
	}
	if cfg.OTLPEndpoint != "" {
		exporter, err := otlptracehttp.New(context.Background(), otlptracehttp.WithEndpointURL(tracesURL(cfg.OTLPEndpoint)))
		if err != nil {
			return err
		}
		options = append(options, sdktrace.WithBatcher(&loggedExporter{SpanExporter: exporter, log: t.Log}))
	}
	provider := sdktrace.NewTracerProvider(options...)
	t.Tracer = provider
	t.stop = append(t.stop, provider.Shutdown)
	return nil
}

// loggedExporter keeps failed exports out of OTel's global error handler, which writes past our log: it logs the first
// failure of a row and the recovery.
type loggedExporter struct {
	sdktrace.SpanExporter
	log    *slog.Logger
	failed atomic.Bool
}

// ExportSpans sends spans; those of a failed export are lost, and the error with them.
func (e *loggedExporter) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	err := e.SpanExporter.ExportSpans(ctx, spans)
	switch was := e.failed.Swap(err != nil); {
	case err != nil && !was:
		e.log.WarnContext(ctx, "export of traces fails", "error", err)
	case err == nil && was:
		e.log.InfoContext(ctx, "export of traces works again")
	}
	return nil
}

// tracesURL adds OTLP's path for traces to a collector's base URL, as OTEL_EXPORTER_OTLP_ENDPOINT is defined.
func tracesURL(endpoint string) string {
	if strings.HasSuffix(endpoint, "/v1/traces") {
		return endpoint
	}
	return strings.TrimRight(endpoint, "/") + "/v1/traces"
}

// End ends span; an err marks it as failed, with its stable reason as the status.
func End(span trace.Span, err error) {
	if err != nil && span.IsRecording() {
		span.RecordError(err)
		span.SetStatus(codes.Error, fault.ReasonOf(err))
	}
	span.End()
}

// Inject writes the trace context of ctx into header, e.g. a nats.Header.
func (t *Telemetry) Inject(ctx context.Context, header map[string][]string) {
	t.Propagator.Inject(ctx, HeaderCarrier(header))
}

// Extract returns ctx with the trace context that header carries as its remote parent.
func (t *Telemetry) Extract(ctx context.Context, header map[string][]string) context.Context {
	return t.Propagator.Extract(ctx, HeaderCarrier(header))
}

// HeaderCarrier carries trace context in a header map whose keys stay as they are. (net/http would canonicalise
// `traceparent`, which subscribers in other languages then miss.)
type HeaderCarrier map[string][]string

// Get returns the first value of key.
func (c HeaderCarrier) Get(key string) string {
	if values := c[key]; len(values) > 0 {
		return values[0]
	}
	return ""
}

// Set replaces the values of key.
func (c HeaderCarrier) Set(key, value string) { c[key] = []string{value} }

// Keys lists the keys.
func (c HeaderCarrier) Keys() []string {
	keys := make([]string, 0, len(c))
	for k := range c {
		keys = append(keys, k)
	}
	return keys
}
