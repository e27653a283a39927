package event

import (
	"context"

	"github.com/naksha-cloud/naksha/pkg/outbox"
	"github.com/naksha-cloud/naksha/pkg/pg"
	tenantv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/tenant/v1"
	"github.com/naksha-cloud/naksha/services/rotation/internal/custody"
)

// onWorkspaceCreated takes the workspace's login, and its server's reading login, into custody.
func onWorkspaceCreated(c *custody.Custody) outbox.Reaction {
	return outbox.On(func(ctx context.Context, tx *pg.Tx, _ outbox.Meta, m *tenantv1.WorkspaceCreated) error {
		return c.Register(ctx, tx, custody.Workspace{
			Name: m.GetWorkspace(), Server: m.GetServer(), Generation: m.GetLoginGeneration(),
		})
	})
}
