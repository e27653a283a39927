package event

import (
	"context"
	"fmt"
	"strings"

	"github.com/naksha-cloud/naksha/pkg/bus"
	"github.com/naksha-cloud/naksha/pkg/outbox"
	"github.com/naksha-cloud/naksha/pkg/pg"
	tenantv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/tenant/v1"
)

// onWorkspaceCreated schedules the workspace, and sees to it that its server can be read.
func onWorkspaceCreated(s Store, redeem func()) outbox.Reaction {
	return outbox.On(func(ctx context.Context, tx *pg.Tx, _ outbox.Meta, m *tenantv1.WorkspaceCreated) error {
		return addWorkspace(ctx, tx, s, redeem, m)
	})
}

func addWorkspace(ctx context.Context, tx *pg.Tx, s Store, redeem func(), m *tenantv1.WorkspaceCreated) error {
	ref, err := refOf(m.GetWorkspace())
	if err != nil {
		return err
	}
	if err := s.AddWorkspace(ctx, tx, ref, m.GetServer(), m.GetCreateTime().AsTime()); err != nil {
		return err
	}
	tx.AfterCommit(redeem)
	return s.Announce(ctx, tx, m.GetServer(), 0)
}

// refOf reads the ref out of `workspaces/{ref}`.
func refOf(name string) (string, error) {
	ref, ok := strings.CutPrefix(name, "workspaces/")
	if !ok {
		return "", bus.Reject(fmt.Errorf("%q is no workspace", name))
	}
	return ref, nil
}
