package event

import (
	"context"
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/naksha-cloud/naksha/pkg/outbox"
	"github.com/naksha-cloud/naksha/pkg/pg"
	tenantv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/tenant/v1"
	"github.com/naksha-cloud/naksha/services/tenant/internal/key"
	"github.com/naksha-cloud/naksha/services/tenant/internal/workspace"
)

// Resources is where resources are read as they are.
type Resources interface {
	// WorkspaceIn reads one workspace in tx, also a deleted one.
	WorkspaceIn(ctx context.Context, tx *pg.Tx, ref string) (workspace.Workspace, error)
	// KeyIn reads one key of a workspace, or with no ref an operator's, in tx, also a revoked one.
	KeyIn(ctx context.Context, tx *pg.Tx, ref, kid string) (key.Key, error)
}

// Snapshots are what consumers get in place of facts that are gone from the log.
func Snapshots(r Resources) outbox.Snapshots {
	return outbox.Snapshots{
		"workspaces": func(ctx context.Context, tx *pg.Tx, aggregate string) (proto.Message, string, error) {
			ref := strings.TrimPrefix(aggregate, workspace.Name(""))
			w, err := r.WorkspaceIn(ctx, tx, ref)
			if err != nil {
				return nil, "", err
			}
			return workspaceSnapshotted(w), ref, nil
		},
		"workspaces/keys": func(ctx context.Context, tx *pg.Tx, aggregate string) (proto.Message, string, error) {
			ref, kid, _ := strings.Cut(strings.TrimPrefix(aggregate, workspace.Name("")), "/keys/")
			k, err := r.KeyIn(ctx, tx, ref, kid)
			if err != nil {
				return nil, "", err
			}
			return keySnapshotted(k), ref, nil
		},
		"keys": func(ctx context.Context, tx *pg.Tx, aggregate string) (proto.Message, string, error) {
			k, err := r.KeyIn(ctx, tx, "", strings.TrimPrefix(aggregate, "keys/"))
			if err != nil {
				return nil, "", err
			}
			return keySnapshotted(k), "", nil
		},
	}
}

func keySnapshotted(k key.Key) *tenantv1.KeySnapshotted {
	m := &tenantv1.KeySnapshotted{Key: k.Name(), Kid: k.Kid}
	if k.RevokeTime != nil {
		m.RevokeTime = timestamppb.New(*k.RevokeTime)
	}
	return m
}

func workspaceSnapshotted(w workspace.Workspace) *tenantv1.WorkspaceSnapshotted {
	told := created(w).Message.(*tenantv1.WorkspaceCreated)
	m := &tenantv1.WorkspaceSnapshotted{Created: told}
	if w.DeleteTime != nil {
		m.DeleteTime = timestamppb.New(*w.DeleteTime)
	}
	return m
}
