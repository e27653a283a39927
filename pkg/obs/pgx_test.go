package obs_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"google.golang.org/grpc"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/naksha-cloud/naksha/pkg/local/localtest"
	"github.com/naksha-cloud/naksha/pkg/obs"
	"github.com/naksha-cloud/naksha/pkg/rpc/rpctest"
)

func TestMain(m *testing.M) {
	os.Exit(localtest.NoLeaks(localtest.Run(m)))
}

// connect opens a traced connection to a fresh database.
func connect(t *testing.T, tel *obs.Telemetry) *pgx.Conn {
	t.Helper()
	config, err := pgx.ParseConfig(localtest.Database(t))
	if err != nil {
		t.Fatal(err)
	}
	config.Tracer = obs.PgxTracer(tel)
	conn, err := pgx.ConnectConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

func TestStatementsAreMeasuredAndTracedByName(t *testing.T) {
	t.Parallel()
	spans := tracetest.NewInMemoryExporter()
	tel, _ := telemetry(t, obs.Config{SpanExporter: spans})
	conn := connect(t, tel)
	var n int
	if err := conn.QueryRow(t.Context(), "-- name: CountThings\nSELECT $1::int + 1", 41).Scan(&n); err != nil || n != 42 {
		t.Fatal(n, err)
	}
	if _, err := conn.Exec(t.Context(), "-- name: BreakThings\nSELECT 'hunter2'::int"); err == nil {
		t.Fatal("a broken statement works")
	}
	batch := &pgx.Batch{}
	batch.Queue("-- name: One\nSELECT 1")
	batch.Queue("-- name: Two\nSELECT 1/0")
	_ = conn.SendBatch(t.Context(), batch).Close() // fails by division
	shown := fmt.Sprintf("%+v", spans.GetSpans())
	if strings.Contains(shown, "hunter2") || strings.Contains(shown, "$1") {
		t.Error("a span shows SQL or its arguments")
	}
	var names []string
	for _, s := range spans.GetSpans() {
		names = append(names, s.Name+"="+s.Status.Description)
	}
	if got := strings.Join(names, " "); got != "CountThings= BreakThings=22P02 BATCH=22012" {
		t.Errorf("spans = %s", got)
	}
	families, err := tel.Registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	metrics := fmt.Sprint(families)
	for _, want := range []string{"db_client_operation_duration_seconds", "CountThings", "22P02", "postgresql"} {
		if !strings.Contains(metrics, want) {
			t.Errorf("no %s in the metrics", want)
		}
	}
}

// healthWithQuery is a health service that asks Postgres and publishes a header.
type healthWithQuery struct {
	healthv1.UnimplementedHealthServer
	conn   *pgx.Conn
	tel    *obs.Telemetry
	header map[string][]string
}

func (h *healthWithQuery) Check(ctx context.Context, _ *healthv1.HealthCheckRequest) (*healthv1.HealthCheckResponse, error) {
	ctx, span := h.tel.Span(ctx, "publish")
	defer span.End()
	h.tel.Inject(ctx, h.header)
	_, err := h.conn.Exec(ctx, "-- name: Ask\nSELECT 1")
	return &healthv1.HealthCheckResponse{}, err
}

func TestGRPCPostgresAndBusShareOneTrace(t *testing.T) {
	t.Parallel()
	spans := tracetest.NewInMemoryExporter()
	tel, _ := telemetry(t, obs.Config{SpanExporter: spans})
	h := &healthWithQuery{conn: connect(t, tel), tel: tel, header: map[string][]string{}}
	// Health under a name that is exempt from the allow-list and not taken by the server's own.
	conn := rpctest.Pair(t, rpctest.Config{Telemetry: tel}, func(r grpc.ServiceRegistrar) {
		desc := healthv1.Health_ServiceDesc
		desc.ServiceName, desc.Streams = "grpc.health.v1.Traced", nil
		r.RegisterService(&desc, h)
	})
	ctx, root := tel.Span(t.Context(), "root")
	err := conn.Invoke(ctx, "/grpc.health.v1.Traced/Check", &healthv1.HealthCheckRequest{}, &healthv1.HealthCheckResponse{})
	if err != nil {
		t.Fatal(err)
	}
	_, handled := tel.Span(tel.Extract(t.Context(), h.header), "handle")
	handled.End()
	root.End()
	seen := map[string]bool{}
	for _, s := range spans.GetSpans() {
		if s.SpanContext.TraceID() != root.SpanContext().TraceID() {
			t.Errorf("%s is of another trace", s.Name)
		}
		seen[s.Name] = true
	}
	for _, name := range []string{"root", "publish", "Ask", "handle", "grpc.health.v1.Traced/Check"} {
		if !seen[name] {
			t.Errorf("no span %s among %v", name, seen)
		}
	}
}
