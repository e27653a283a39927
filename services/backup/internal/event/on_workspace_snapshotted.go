package event

import (
	"context"

	"github.com/naksha-cloud/naksha/pkg/outbox"
	"github.com/naksha-cloud/naksha/pkg/pg"
	tenantv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/tenant/v1"
)

// onWorkspaceSnapshotted catches up with a workspace whose facts are gone: both of them, as far as they happened.
func onWorkspaceSnapshotted(s Store, redeem func()) outbox.Reaction {
	return outbox.On(func(ctx context.Context, tx *pg.Tx, _ outbox.Meta, m *tenantv1.WorkspaceSnapshotted) error {
		if err := addWorkspace(ctx, tx, s, redeem, m.GetCreated()); err != nil || m.DeleteTime == nil {
			return err
		}
		ref, err := refOf(m.GetCreated().GetWorkspace())
		if err != nil {
			return err
		}
		return s.DeleteWorkspace(ctx, tx, ref, m.GetDeleteTime().AsTime())
	})
}
