package event

import (
	"context"
	"strings"

	"github.com/naksha-cloud/naksha/pkg/outbox"
	"github.com/naksha-cloud/naksha/pkg/pg"
	tenantv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/tenant/v1"
	"github.com/naksha-cloud/naksha/services/gateway/internal/key"
)

// OnWorkspaceDeleted refuses every key of the workspace from its next call on.
func OnWorkspaceDeleted(revocations Revocations, forget Forget) outbox.Reaction {
	return outbox.On(func(ctx context.Context, tx *pg.Tx, _ outbox.Meta, m *tenantv1.WorkspaceDeleted) error {
		ref := strings.TrimPrefix(m.GetWorkspace(), "workspaces/")
		return note(ctx, tx, revocations, forget, key.Revocation{Workspace: ref})
	})
}
