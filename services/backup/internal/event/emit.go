// Package event speaks to the bus: it turns our facts into messages, and other services' facts into changes of ours.
package event

import (
	"context"
	"fmt"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/naksha-cloud/naksha/pkg/outbox"
	"github.com/naksha-cloud/naksha/pkg/pg"
	backupv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/backup/v1"
	"github.com/naksha-cloud/naksha/services/backup/internal/restore"
	"github.com/naksha-cloud/naksha/services/backup/internal/snapshot"
)

// Emitter records facts in the outbox.
func Emitter(o *outbox.Outbox) func(ctx context.Context, tx *pg.Tx, fact any) error {
	return func(ctx context.Context, tx *pg.Tx, fact any) error {
		aggregate, ref, message := convert(fact)
		if message == nil {
			return fmt.Errorf("no message for fact %T", fact)
		}
		return o.Emit(ctx, tx, outbox.Fact{Aggregate: aggregate, Workspace: ref, Message: message})
	}
}

func convert(fact any) (aggregate, ref string, message proto.Message) {
	switch f := fact.(type) {
	case snapshot.Requested:
		name := snapshot.Name(f.Ref, f.ID)
		return name, f.Ref, &backupv1.SnapshotRequested{Snapshot: name}
	case snapshot.Completed:
		name := snapshot.Name(f.Ref, f.ID)
		return name, f.Ref, &backupv1.SnapshotVerified{
			Snapshot: name, SnapshotTime: timestamppb.New(f.TakenAt), StoredBytes: f.StoredBytes, RowCount: f.Rows, ObjectCount: f.Objects,
		}
	case snapshot.GivenUp:
		name := snapshot.Name(f.Ref, f.ID)
		return name, f.Ref, &backupv1.SnapshotFailed{Snapshot: name, Error: problem(f.Problem)}
	default:
		return convertRestore(fact)
	}
}

func convertRestore(fact any) (aggregate, ref string, message proto.Message) {
	switch f := fact.(type) {
	case restore.Requested:
		name := restore.Name(f.Ref, f.ID)
		return name, f.Ref, &backupv1.RestoreRequested{Restore: name}
	case restore.Finished:
		name := restore.Name(f.Ref, f.ID)
		return name, f.Ref, &backupv1.RestoreCompleted{Restore: name, Snapshot: snapshot.Name(f.Ref, f.Snapshot)}
	case restore.GivenUp:
		name := restore.Name(f.Ref, f.ID)
		return name, f.Ref, &backupv1.RestoreFailed{Restore: name, Error: problem(f.Problem)}
	case restore.Reverted:
		name := restore.Name(f.Ref, f.ID)
		return name, f.Ref, &backupv1.RestoreUndone{Restore: name}
	default:
		return "", "", nil
	}
}

func problem(p snapshot.Problem) *backupv1.Problem {
	return &backupv1.Problem{Reason: p.Reason, Message: p.Message, Remedy: p.Remedy}
}
