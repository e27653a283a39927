package outbox

import (
	"context"
	"encoding/json"

	"github.com/google/uuid"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"

	"github.com/naksha-cloud/naksha/pkg/bus"
)

// maxTrace bounds the trace headers of a fact, bytes: what callers say of themselves must not make it too large to publish.
const maxTrace = 4 << 10

// traceHeaders are the W3C trace headers of ctx as JSON.
func traceHeaders(ctx context.Context) ([]byte, error) {
	carrier := propagation.MapCarrier{}
	propagation.TraceContext{}.Inject(ctx, carrier)
	if len(carrier["tracestate"]) > maxTrace {
		delete(carrier, "tracestate")
	}
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

// tracedStream makes a span of each fact's publication, in the trace of the request that recorded it. A publication that
// has begun is finished: what its answer would have been must not stay open because the relay stops.
type tracedStream struct {
	RelayStream
	tracer trace.Tracer
}

// PublishBatch implements RelayStream.
func (s tracedStream) PublishBatch(ctx context.Context, last uint64, messages []bus.Message) (uint64, error) {
	ctx = context.WithoutCancel(ctx)
	end := s.begin(ctx, messages)
	sequence, err := s.RelayStream.PublishBatch(ctx, last, messages)
	for i := range messages {
		end(i, err)
	}
	return sequence, err
}

// PublishEach implements RelayStream.
func (s tracedStream) PublishEach(ctx context.Context, last uint64, messages []bus.Message) []bus.Ack {
	ctx = context.WithoutCancel(ctx)
	end := s.begin(ctx, messages)
	acks := s.RelayStream.PublishEach(ctx, last, messages)
	for i, ack := range acks {
		end(i, ack.Err)
	}
	return acks
}

// begin starts the spans of those messages that belong to a trace.
func (s tracedStream) begin(ctx context.Context, messages []bus.Message) (end func(i int, err error)) {
	ends := make(map[int]func(error))
	for i, m := range messages {
		if m.Headers["traceparent"] != "" {
			id, _ := uuid.Parse(m.ID)
			_, ends[i] = traced(ctx, s.tracer, "publish", trace.SpanKindProducer, Event{
				ID: id, Type: m.Headers[headerType], Workspace: m.Headers[headerWorkspace], Headers: m.Headers,
			})
		}
	}
	return func(i int, err error) {
		if e, ok := ends[i]; ok {
			e(err)
		}
	}
}
