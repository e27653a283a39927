package event

import (
	"context"

	"github.com/naksha-cloud/naksha/pkg/outbox"
	"github.com/naksha-cloud/naksha/pkg/pg"
	tenantv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/tenant/v1"
	"github.com/naksha-cloud/naksha/services/rotation/internal/custody"
)

// onWorkspaceSnapshotted catches up with a workspace whose facts are gone: it is in custody while it lives.
func onWorkspaceSnapshotted(c *custody.Custody) outbox.Reaction {
	return outbox.On(func(ctx context.Context, tx *pg.Tx, _ outbox.Meta, m *tenantv1.WorkspaceSnapshotted) error {
		if m.DeleteTime != nil {
			return c.Retire(ctx, tx, m.GetCreated().GetWorkspace())
		}
		return c.Register(ctx, tx, custody.Workspace{
			Name: m.GetCreated().GetWorkspace(), Server: m.GetCreated().GetServer(), Generation: m.GetCreated().GetLoginGeneration(),
		})
	})
}
