package outbox

import (
	"context"
	"encoding/json"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"
)

// traceHeaders are the W3C trace headers of ctx as JSON.
func traceHeaders(ctx context.Context) ([]byte, error) {
	carrier := propagation.MapCarrier{}
	propagation.TraceContext{}.Inject(ctx, carrier)
	return json.Marshal(carrier)
}

// withTrace puts the trace of headers into ctx, so that a reaction is part of the request that caused it.
func withTrace(ctx context.Context, headers map[string]string) context.Context {
	return propagation.TraceContext{}.Extract(ctx, propagation.MapCarrier(headers))
}

// traced begins a span of the request that caused e: `publish` at the relay, `process` at a consumer (OTel's names for
// messaging). end ends it, with the error if there was one.
func traced(ctx context.Context, t trace.Tracer, operation string, kind trace.SpanKind, e Event,
) (_ context.Context, end func(error)) {
	ctx, span := t.Start(withTrace(ctx, e.Headers), operation+" "+e.Type, trace.WithSpanKind(kind), trace.WithAttributes(
		attribute.String("messaging.system", "nats"),
		attribute.String("messaging.operation.type", operation),
		attribute.String("messaging.destination.name", Subject(e.Type, e.Workspace)),
		attribute.String("messaging.message.id", e.ID.String()),
	))
	return ctx, func(err error) {
		if err != nil {
			span.RecordError(err)
			span.SetStatus(codes.Error, "")
		}
		span.End()
	}
}

func tracerOr(t trace.Tracer) trace.Tracer {
	if t == nil {
		return noop.NewTracerProvider().Tracer("")
	}
	return t
}
