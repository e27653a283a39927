package obs

import (
	"context"
	"errors"
	"regexp"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"
)

// statementName matches the first line of a named query: `-- name: ClaimSlot`.
var statementName = regexp.MustCompile(`^\s*--\s*(?:name:\s*)?(\w+)`)

// Tracer traces pgx queries, batches and copies with OTel's semantic names. It shows the names of statements, never
// their text or arguments.
type Tracer struct {
	tracer   trace.Tracer
	duration metric.Float64Histogram
}

var (
	_ pgx.QueryTracer    = (*Tracer)(nil)
	_ pgx.BatchTracer    = (*Tracer)(nil)
	_ pgx.CopyFromTracer = (*Tracer)(nil)
)

// PgxTracer returns the tracer for pgx's ConnConfig.Tracer.
func PgxTracer(t *Telemetry) *Tracer {
	duration, err := t.Meter.Meter(scope).Float64Histogram("db.client.operation.duration", metric.WithUnit("s"),
		metric.WithDescription("Duration of database client operations."))
	if err != nil {
		panic("obs: a constant instrument is refused: " + err.Error())
	}
	return &Tracer{tracer: t.Tracer.Tracer(scope), duration: duration}
}

// operation is what the tracer remembers between the start and the end of a call.
type operation struct {
	name  string
	begin time.Time
	span  trace.Span
}

type operationKey struct{}

// TraceQueryStart begins a query's span.
func (t *Tracer) TraceQueryStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceQueryStartData) context.Context {
	return t.start(ctx, StatementName(data.SQL))
}

// TraceQueryEnd ends it.
func (t *Tracer) TraceQueryEnd(ctx context.Context, _ *pgx.Conn, data pgx.TraceQueryEndData) {
	t.end(ctx, data.Err)
}

// TraceBatchStart begins a batch's span.
func (t *Tracer) TraceBatchStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceBatchStartData) context.Context {
	return t.start(ctx, "BATCH")
}

// TraceBatchQuery notes a failed query of a batch.
func (t *Tracer) TraceBatchQuery(ctx context.Context, _ *pgx.Conn, data pgx.TraceBatchQueryData) {
	if op, ok := ctx.Value(operationKey{}).(operation); ok && data.Err != nil {
		op.span.AddEvent(StatementName(data.SQL) + " failed")
	}
}

// TraceBatchEnd ends it.
func (t *Tracer) TraceBatchEnd(ctx context.Context, _ *pgx.Conn, data pgx.TraceBatchEndData) {
	t.end(ctx, data.Err)
}

// TraceCopyFromStart begins a copy's span.
func (t *Tracer) TraceCopyFromStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceCopyFromStartData) context.Context {
	return t.start(ctx, "COPY")
}

// TraceCopyFromEnd ends it.
func (t *Tracer) TraceCopyFromEnd(ctx context.Context, _ *pgx.Conn, data pgx.TraceCopyFromEndData) {
	t.end(ctx, data.Err)
}

func (t *Tracer) start(ctx context.Context, name string) context.Context {
	ctx, span := t.tracer.Start(ctx, name, trace.WithSpanKind(trace.SpanKindClient),
		trace.WithAttributes(semconv.DBSystemNamePostgreSQL, semconv.DBOperationName(name)))
	return context.WithValue(ctx, operationKey{}, operation{name: name, begin: time.Now(), span: span})
}

func (t *Tracer) end(ctx context.Context, err error) {
	op, ok := ctx.Value(operationKey{}).(operation)
	if !ok {
		return
	}
	attrs := []attribute.KeyValue{semconv.DBSystemNamePostgreSQL, semconv.DBOperationName(op.name)}
	if class := errorType(err); class != "" {
		attrs = append(attrs, semconv.ErrorTypeKey.String(class))
		op.span.SetStatus(codes.Error, class)
	}
	t.duration.Record(ctx, time.Since(op.begin).Seconds(), metric.WithAttributes(attrs...))
	op.span.End()
}

// errorType is the SQLSTATE, or a word for what has none; "" for no error. No rows is an answer, not an error.
func errorType(err error) string {
	var pgErr *pgconn.PgError
	switch {
	case err == nil, errors.Is(err, pgx.ErrNoRows):
		return ""
	case errors.As(err, &pgErr):
		return pgErr.Code
	case errors.Is(err, context.Canceled):
		return "canceled"
	case errors.Is(err, context.DeadlineExceeded):
		return "timeout"
	default:
		return "_OTHER"
	}
}

// StatementName is the name that sql gives itself in its first line (`-- name: ClaimSlot`), else its first keyword.
func StatementName(sql string) string {
	if m := statementName.FindStringSubmatch(sql); m != nil {
		return m[1]
	}
	word, _, _ := strings.Cut(strings.TrimSpace(sql), " ")
	word, _, _ = strings.Cut(word, "\n")
	if len(word) > 16 { // not a keyword: pgx was handed something else
		return "QUERY"
	}
	return strings.ToUpper(strings.Trim(word, ";()"))
}
