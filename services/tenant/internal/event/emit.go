// Package event turns the service's facts into messages of naksha/tenant/v1/tenant_events.proto, and takes other
// services' facts in. It is the only package that knows both forms.
package event

import (
	"context"
	"fmt"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/naksha-cloud/naksha/pkg/outbox"
	"github.com/naksha-cloud/naksha/pkg/pg"
	tenantv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/tenant/v1"
	"github.com/naksha-cloud/naksha/services/tenant/internal/cell"
	"github.com/naksha-cloud/naksha/services/tenant/internal/key"
	"github.com/naksha-cloud/naksha/services/tenant/internal/workspace"
)

// Emitter records facts in the outbox.
type Emitter struct{ Outbox *outbox.Outbox }

// Emit records facts in tx, in their order.
func (e Emitter) Emit(ctx context.Context, tx *pg.Tx, facts ...any) error {
	messages := make([]outbox.Fact, 0, len(facts))
	for _, f := range facts {
		message, err := convert(f)
		if err != nil {
			return err
		}
		messages = append(messages, message)
	}
	return e.Outbox.Emit(ctx, tx, messages...)
}

func convert(f any) (outbox.Fact, error) {
	switch f := f.(type) {
	case workspace.Created:
		return created(f.Workspace), nil
	case workspace.Removed:
		return outbox.Fact{Aggregate: workspace.Name(f.Ref), Workspace: f.Ref, Message: &tenantv1.WorkspaceDeleted{
			Workspace: workspace.Name(f.Ref), DeleteTime: timestamppb.New(f.At),
		}}, nil
	case workspace.SchemaSwapped:
		return outbox.Fact{Aggregate: workspace.Name(f.Ref), Workspace: f.Ref, Message: &tenantv1.SchemaSwapped{
			Workspace: workspace.Name(f.Ref), RestoreId: f.RestoreID, UndoSchema: f.UndoSchema,
		}}, nil
	case key.Revoked:
		return outbox.Fact{Aggregate: f.Key.Name(), Workspace: f.Key.Workspace, Message: &tenantv1.KeyRevoked{
			Key: f.Key.Name(), Kid: f.Key.Kid, RevokeTime: timestamppb.New(f.At),
		}}, nil
	}
	return outbox.Fact{}, fmt.Errorf("emit: %T is no fact of this service", f)
}

func created(w workspace.Workspace) outbox.Fact {
	return outbox.Fact{Aggregate: workspace.Name(w.Ref), Workspace: w.Ref, Message: &tenantv1.WorkspaceCreated{
		Workspace: workspace.Name(w.Ref), DisplayName: w.DisplayName, Plan: w.Plan, Cell: cell.Name(w.Cell),
		Server: cell.ServerName(w.Server), Bucket: workspace.Bucket(w.Ref), Schema: workspace.Schema(w.Ref),
		LoginGeneration: w.LoginGeneration, CreateTime: timestamppb.New(w.CreateTime),
	}}
}
