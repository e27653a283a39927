package event

import (
	"context"
	"strings"

	"github.com/naksha-cloud/naksha/pkg/outbox"
	"github.com/naksha-cloud/naksha/pkg/pg"
	tenantv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/tenant/v1"
	"github.com/naksha-cloud/naksha/services/gateway/internal/key"
)

// OnWorkspaceSnapshotted catches up with a workspace whose facts are gone: a deleted one's keys are refused.
func OnWorkspaceSnapshotted(revocations Revocations, forget Forget) outbox.Reaction {
	return outbox.On(func(ctx context.Context, tx *pg.Tx, _ outbox.Meta, m *tenantv1.WorkspaceSnapshotted) error {
		if m.DeleteTime == nil {
			return nil
		}
		ref := strings.TrimPrefix(m.GetCreated().GetWorkspace(), "workspaces/")
		return note(ctx, tx, revocations, forget, key.Revocation{Workspace: ref})
	})
}
