package event

import (
	"context"
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/naksha-cloud/naksha/pkg/outbox"
	"github.com/naksha-cloud/naksha/pkg/pg"
	tenantv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/tenant/v1"
	"github.com/naksha-cloud/naksha/services/tenant/internal/workspace"
)

// Workspaces is where a workspace is read as it is.
type Workspaces interface {
	// WorkspaceIn reads one workspace in tx, also a deleted one.
	WorkspaceIn(ctx context.Context, tx *pg.Tx, ref string) (workspace.Workspace, error)
}

// Snapshots are what consumers get in place of facts that are gone from the log.
func Snapshots(w Workspaces) outbox.Snapshots {
	return outbox.Snapshots{"workspaces": func(ctx context.Context, tx *pg.Tx, aggregate string) (proto.Message, string, error) {
		ref := strings.TrimPrefix(aggregate, workspace.Name(""))
		found, err := w.WorkspaceIn(ctx, tx, ref)
		if err != nil {
			return nil, "", err
		}
		return snapshotted(found), ref, nil
	}}
}

func snapshotted(w workspace.Workspace) *tenantv1.WorkspaceSnapshotted {
	told := created(w).Message.(*tenantv1.WorkspaceCreated)
	m := &tenantv1.WorkspaceSnapshotted{Created: told}
	if w.DeleteTime != nil {
		m.DeleteTime = timestamppb.New(*w.DeleteTime)
	}
	return m
}
