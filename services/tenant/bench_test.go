package tenant_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/naksha-cloud/naksha/pkg/conf"
	"github.com/naksha-cloud/naksha/pkg/seal"
	tenantv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/tenant/v1"
	"github.com/naksha-cloud/naksha/services/tenant"
	"github.com/naksha-cloud/naksha/services/tenant/internal/slot"
	"github.com/naksha-cloud/naksha/services/tenant/internal/workspace"
)

// BenchmarkCreateWorkspace measures an order by mutual TLS until its reply, on a platform database that flushes every
// commit. The plain peer builds the slot in the order itself, as it would be without a pool of slots.
func BenchmarkCreateWorkspace(b *testing.B) {
	w := newWorld(b)
	w.durable(b)
	w.config.Slots.LowWater = 0
	i := w.start(b, tenant.Deps{})
	inline := 0.0
	b.Run("inline", func(b *testing.B) { inline = measure(b, i) })
	b.Run("claimed", func(b *testing.B) {
		w.stock(b, b.N)
		p50 := measure(b, i)
		b.ReportMetric(inline/p50, "x-faster-than-inline")
	})
}

// measure reports p50, p99 and the slowest in milliseconds.
func measure(b *testing.B, i *instance) (p50 float64) {
	b.Helper()
	took := make([]float64, 0, b.N)
	for b.ResetTimer(); len(took) < b.N; {
		begin := time.Now()
		_, err := i.workspaces.CreateWorkspace(operator(b.Context()), &tenantv1.CreateWorkspaceRequest{
			DisplayName: "bench", RequestId: uuid.NewString(),
		})
		if err != nil {
			b.Fatal(err)
		}
		took = append(took, time.Since(begin).Seconds()*1e3)
	}
	b.StopTimer()
	slices.Sort(took)
	p50 = took[len(took)/2]
	b.ReportMetric(p50, "p50-ms")
	b.ReportMetric(took[len(took)*99/100], "p99-ms")
	b.ReportMetric(took[len(took)-1], "max-ms")
	return p50
}

// durable moves the service's database to a server of its own, with the settings of production.
func (w *world) durable(b *testing.B) {
	b.Helper()
	server := ownPostgres(b)
	run(b, login(b, server.SuperuserURL("postgres")), "CREATE ROLE tenant LOGIN PASSWORD 'tenant'", "CREATE SCHEMA tenant AUTHORIZATION tenant",
		"ALTER ROLE tenant SET search_path = tenant")
	w.config.DatabaseURL = conf.Secret(server.URL("tenant", "tenant", "postgres"))
}

// stock records n ready slots, as a refiller would have left them. A claim looks at the record alone.
func (w *world) stock(b *testing.B, n int) {
	b.Helper()
	root, err := seal.ReadRoot(w.config.RootKeyFile)
	if err != nil {
		b.Fatal(err)
	}
	box, err := root.Box("tenant")
	if err != nil {
		b.Fatal(err)
	}
	secrets, err := slot.Secrets{DatabasePassword: "x", S3: map[string]slot.S3Key{"primary": {ID: "i", Secret: "s"}, "dr": {ID: "i", Secret: "s"}}}.Encode()
	if err != nil {
		b.Fatal(err)
	}
	rows := make([][]any, n)
	for i := range rows {
		ref := workspace.NewRef()
		rows[i] = []any{ref, "cell1", "ready", 1, time.Now(), box.Seal(slot.Name(ref), secrets), time.Now(), time.Now()}
	}
	columns := []string{"ref", "cell", "state", "attempt", "lease_until", "secrets", "ready_time", "create_time"}
	_, err = login(b, w.config.DatabaseURL.Reveal()).CopyFrom(b.Context(), pgx.Identifier{"slot"}, columns, pgx.CopyFromRows(rows))
	if err != nil {
		b.Fatal(err)
	}
}
