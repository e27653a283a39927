package event

import (
	"context"

	"github.com/naksha-cloud/naksha/pkg/outbox"
	"github.com/naksha-cloud/naksha/pkg/pg"
	tenantv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/tenant/v1"
	"github.com/naksha-cloud/naksha/services/rotation/internal/custody"
)

// onWorkspaceDeleted ends the workspace's credential.
func onWorkspaceDeleted(c *custody.Custody) outbox.Reaction {
	return outbox.On(func(ctx context.Context, tx *pg.Tx, _ outbox.Meta, m *tenantv1.WorkspaceDeleted) error {
		return c.Retire(ctx, tx, m.GetWorkspace())
	})
}
