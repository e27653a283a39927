package service_test

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/naksha-cloud/naksha/pkg/obs"
	"github.com/naksha-cloud/naksha/pkg/outbox"
	"github.com/naksha-cloud/naksha/pkg/pg"
	"github.com/naksha-cloud/naksha/pkg/service"
	"github.com/naksha-cloud/naksha/pkg/service/servicetest"
	tenantv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/tenant/v1"
)

func TestOneTraceCrossesPostgresTheBusAndTheOtherService(t *testing.T) {
	t.Parallel()
	env := servicetest.New(t)
	spans := tracetest.NewInMemoryExporter()
	tenant, backup := tracedCore(t, env, "tenant", spans), tracedCore(t, env, "backup", spans)
	done := make(chan struct{}, 1)
	backup.Assemble(service.Parts{Reactions: map[string][]outbox.Reaction{"tenant": {
		outbox.On(func(ctx context.Context, tx *pg.Tx, _ outbox.Meta, _ *tenantv1.WorkspaceCreated) error {
			tx.AfterCommit(func() { done <- struct{}{} })
			_, err := tx.Exec(ctx, "-- name: TheReaction\nSELECT 1")
			return err
		}),
	}}})
	servicetest.Start(t, tenant)
	servicetest.Start(t, backup)
	ctx, root := tenant.Telemetry().Span(t.Context(), "the request")
	err := tenant.Pool.InTx(ctx, func(ctx context.Context, tx *pg.Tx) error {
		return tenant.Outbox.Emit(ctx, tx, outbox.Fact{Aggregate: "workspaces/x", Message: &tenantv1.WorkspaceCreated{}})
	})
	root.End()
	if err != nil {
		t.Fatal(err)
	}
	<-done
	id := root.SpanContext().TraceID()
	servicetest.Eventually(t, func() error {
		var names []string
		for _, s := range spans.GetSpans() {
			if s.SpanContext.TraceID() == id {
				names = append(names, s.Name)
			}
		}
		for _, want := range []string{"the request", "publish naksha.tenant.v1", "process naksha.tenant.v1", "TheReaction"} {
			if !slices.ContainsFunc(names, func(n string) bool { return strings.Contains(n, want) }) {
				return fmt.Errorf("the trace has no span %q: %q", want, names)
			}
		}
		return nil
	})
}

func tracedCore(t *testing.T, env *servicetest.Env, name string, spans *tracetest.InMemoryExporter) *service.Core {
	t.Helper()
	telemetry, err := obs.New(obs.Config{Service: name, SpanExporter: spans}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	core, err := service.New(name, env.Config(name), service.Deps{Telemetry: telemetry})
	if err != nil {
		t.Fatal(err)
	}
	return core
}
