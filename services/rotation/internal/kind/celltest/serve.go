package celltest

import (
	"context"
	"testing"
	"time"

	"google.golang.org/grpc"

	"github.com/naksha-cloud/naksha/pkg/local/localtest"
	"github.com/naksha-cloud/naksha/pkg/rpc/rpctest"
	tenantv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/tenant/v1"
)

// Client is a connection to the cell's CellService by gRPC with mutual TLS, as the rotation service.
func (c *Cell) Client(t testing.TB) func() (tenantv1.CellServiceClient, error) {
	t.Helper()
	conn := rpctest.Pair(t, rpctest.Config{Service: "tenant", As: "rotation"}, func(r grpc.ServiceRegistrar) {
		tenantv1.RegisterCellServiceServer(r, c)
	})
	client := tenantv1.NewCellServiceClient(conn)
	return func() (tenantv1.CellServiceClient, error) { return client, nil }
}

// AwaitSessions waits until a role has so many sessions at the server: a session that was closed is seen a little longer.
func (c *Cell) AwaitSessions(t testing.TB, role string, want int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), localtest.Patience)
	defer cancel()
	ticker := time.NewTicker(10 * time.Millisecond)
	defer ticker.Stop()
	for {
		var open int
		err := c.pool.QueryRow(ctx, "SELECT count(*) FROM pg_stat_activity WHERE usename = $1", role).Scan(&open)
		if err == nil && open == want {
			return
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			t.Fatalf("role %s has %d sessions, want %d (%v)", role, open, want, err)
		}
	}
}
