package event

import (
	"context"

	"github.com/naksha-cloud/naksha/pkg/outbox"
	"github.com/naksha-cloud/naksha/pkg/pg"
	tenantv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/tenant/v1"
)

// onWorkspaceDeleted ends the schedule; what was taken is kept.
func onWorkspaceDeleted(s Store) outbox.Reaction {
	return outbox.On(func(ctx context.Context, tx *pg.Tx, _ outbox.Meta, m *tenantv1.WorkspaceDeleted) error {
		ref, err := refOf(m.GetWorkspace())
		if err != nil {
			return err
		}
		return s.DeleteWorkspace(ctx, tx, ref, m.GetDeleteTime().AsTime())
	})
}
