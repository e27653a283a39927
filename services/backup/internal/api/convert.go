package api

import (
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	backupv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/backup/v1"
	"github.com/naksha-cloud/naksha/services/backup/internal/restore"
	"github.com/naksha-cloud/naksha/services/backup/internal/snapshot"
)

func snapshotState(s snapshot.State) backupv1.Snapshot_State {
	switch s {
	case snapshot.Pending:
		return backupv1.Snapshot_STATE_PENDING
	case snapshot.Running:
		return backupv1.Snapshot_STATE_RUNNING
	case snapshot.Verified:
		return backupv1.Snapshot_STATE_VERIFIED
	case snapshot.Failed:
		return backupv1.Snapshot_STATE_FAILED
	default:
		return backupv1.Snapshot_STATE_UNSPECIFIED
	}
}

func snapshotMessage(s snapshot.Snapshot) *backupv1.Snapshot {
	m := &backupv1.Snapshot{
		Name: snapshot.Name(s.Ref, s.ID), State: snapshotState(s.State), ProgressPercent: int32(s.Progress), Error: problem(s.Problem),
		CreateTime: timestamppb.New(s.CreatedAt), SnapshotTime: at(s.TakenAt), EndTime: at(s.EndedAt), Tables: tables(s.Tables),
		RowCount: s.Rows, RawBytes: s.RawBytes, StoredBytes: s.StoredBytes, ObjectCount: s.Objects, ObjectBytes: s.ObjectBytes,
	}
	for _, c := range s.Copies {
		m.Regions = append(m.Regions, &backupv1.RegionCopy{Region: c.Region, VerifyTime: at(c.VerifiedAt), Error: c.Error})
	}
	return m
}

// restoreState shows an undo under way as what it undoes: it is not undone before it is.
func restoreState(s restore.State) backupv1.Restore_State {
	switch s {
	case restore.Pending:
		return backupv1.Restore_STATE_PENDING
	case restore.Staging:
		return backupv1.Restore_STATE_STAGING
	case restore.Comparing:
		return backupv1.Restore_STATE_COMPARING
	case restore.Swapping:
		return backupv1.Restore_STATE_SWAPPING
	case restore.Completed, restore.Undoing:
		return backupv1.Restore_STATE_COMPLETED
	case restore.Failed:
		return backupv1.Restore_STATE_FAILED
	case restore.Undone:
		return backupv1.Restore_STATE_UNDONE
	default:
		return backupv1.Restore_STATE_UNSPECIFIED
	}
}

func restoreMessage(r restore.Restore) *backupv1.Restore {
	return &backupv1.Restore{
		Name: restore.Name(r.Ref, r.ID), Snapshot: snapshot.Name(r.Ref, r.Snapshot), State: restoreState(r.State),
		ProgressPercent: int32(r.Progress), Error: problem(r.Problem), Region: r.Region, CreateTime: timestamppb.New(r.CreatedAt),
		EndTime: at(r.EndedAt), Tables: tables(r.Tables), ObjectCount: r.Objects, UndoSchema: r.UndoSchema, UndoExpireTime: at(r.UndoExpireAt),
	}
}

func tables(list []snapshot.Table) []*backupv1.TableSummary {
	var out []*backupv1.TableSummary
	for _, t := range list {
		out = append(out, &backupv1.TableSummary{Table: t.Name, RowCount: t.Rows, Checksum: t.Checksum})
	}
	return out
}

func problem(p *snapshot.Problem) *backupv1.Problem {
	if p == nil {
		return nil
	}
	return &backupv1.Problem{Reason: p.Reason, Message: p.Message, Remedy: p.Remedy}
}

func at(t *time.Time) *timestamppb.Timestamp {
	if t == nil {
		return nil
	}
	return timestamppb.New(*t)
}
