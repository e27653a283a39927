// Package obs is what a service shows of itself: logs, traces, metrics, health and profiles. Each Telemetry is its own
// island: own registry, own level, no global of slog, OTel or Prometheus, so that several services live in one process.
// It refuses to show secrets, and it decides nothing.
package obs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/propagation"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"
)

// Config says who is observed and where the observations go.
type Config struct {
	Service      string                // service.name, and the label `service` of every metric
	Version      string                // service.version; may be empty
	Level        slog.Level            // default Info; Telemetry.Level changes it at run time
	Format       string                // "text" (default) or "json"
	OTLPEndpoint string                // URL of an OTLP/HTTP collector, e.g. "http://collector:4318"; empty = no export
	SpanExporter sdktrace.SpanExporter // receives spans besides OTLP, at once; nil = none
	Runtime      bool                  // include metrics of the Go runtime and the process: once per process is enough
}

// Telemetry is what one service logs, traces and measures with.
type Telemetry struct {
	Log        *slog.Logger
	Level      *slog.LevelVar
	Tracer     trace.TracerProvider
	Meter      metric.MeterProvider
	Propagator propagation.TextMapPropagator // W3C trace context
	Registry   *prometheus.Registry          // what /metrics serves
	Registerer prometheus.Registerer         // adds the label `service`; for collectors that do not speak OTel

	service, version string
	stop             []func(context.Context) error
}

// New builds a Telemetry that logs to w. Shutdown ends it.
func New(cfg Config, w io.Writer) (*Telemetry, error) {
	res := resource.NewSchemaless(semconv.ServiceName(cfg.Service), semconv.ServiceVersion(cfg.Version))
	t := &Telemetry{
		Level:      new(slog.LevelVar),
		Propagator: propagation.TraceContext{},
		service:    cfg.Service,
		version:    cfg.Version,
	}
	t.Level.Set(cfg.Level)
	handler, err := newHandler(cfg.Format, w, t.Level)
	if err != nil {
		return nil, err
	}
	t.Log = slog.New(handler).With("service", cfg.Service)
	if err := t.openMetrics(cfg, res); err != nil {
		return nil, fmt.Errorf("open metrics: %w", err)
	}
	if err := t.openTraces(cfg, res); err != nil {
		return nil, errors.Join(fmt.Errorf("open traces: %w", err), t.Shutdown(context.Background()))
	}
	return t, nil
}

// Discard returns a Telemetry that shows nothing to nobody, for tests and tools.
func Discard() *Telemetry {
	t, err := New(Config{Service: "discard", Level: slog.LevelError + 100}, io.Discard)
	if err != nil {
		panic("obs: a Telemetry without outputs cannot fail: " + err.Error())
	}
	return t
}

// Service is the name that the Telemetry was made with.
func (t *Telemetry) Service() string { return t.service }

// Version is that of the program that the Telemetry was made with; may be empty.
func (t *Telemetry) Version() string { return t.version }

// Shutdown flushes spans and metrics. A second Shutdown does nothing.
func (t *Telemetry) Shutdown(ctx context.Context) error {
	var errs []error
	for _, stop := range t.stop {
		errs = append(errs, stop(ctx))
	}
	t.stop = nil
	return errors.Join(errs...)
}

// Span starts a span of the service under ctx; end it with End(span, err).
func (t *Telemetry) Span(ctx context.Context, name string, attrs ...attribute.KeyValue) (context.Context, trace.Span) {
	return t.Tracer.Tracer(scope).Start(ctx, name, trace.WithAttributes(attrs...))
}

// scope is the instrumentation scope of what this package measures.
const scope = "github.com/naksha-cloud/naksha/pkg/obs"

// openMetrics builds the registry and the meter provider that writes to it.
func (t *Telemetry) openMetrics(cfg Config, res *resource.Resource) error {
	t.Registry = prometheus.NewRegistry()
	t.Registerer = prometheus.WrapRegistererWith(prometheus.Labels{"service": cfg.Service}, t.Registry)
	exporter, err := newMetricExporter(t.Registerer)
	if err != nil {
		return err
	}
	provider := sdkmetric.NewMeterProvider(sdkmetric.WithReader(exporter), sdkmetric.WithResource(res),
		sdkmetric.WithView(secondsView()))
	t.Meter = provider
	t.stop = append(t.stop, provider.Shutdown)
	if cfg.Runtime {
		return registerRuntime(t.Registerer)
	}
	return nil
}
