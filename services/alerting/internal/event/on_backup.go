package event

import (
	"context"

	"github.com/naksha-cloud/naksha/pkg/outbox"
	"github.com/naksha-cloud/naksha/pkg/pg"
	backupv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/backup/v1"
)

// onRestoreFailed: a customer waits for data that did not come back. It fires until a person ends it.
func onRestoreFailed(in Intake) func(context.Context, *pg.Tx, outbox.Meta, *backupv1.RestoreFailed) error {
	return func(ctx context.Context, tx *pg.Tx, meta outbox.Meta, m *backupv1.RestoreFailed) error {
		return take(ctx, tx, in, meta, condition{
			name: "RestoreFailed", severity: "sev2", area: "platform", labels: map[string]string{"restore": m.GetRestore()},
			summary: "Restore failed: " + m.GetRestore(), details: problem(m.GetError()),
			from: meta.Time, until: meta.Time.Add(untilTold),
		})
	}
}

// onSnapshotFailed: one alert per workspace, which its next verified snapshot ends.
func onSnapshotFailed(in Intake) func(context.Context, *pg.Tx, outbox.Meta, *backupv1.SnapshotFailed) error {
	return func(ctx context.Context, tx *pg.Tx, meta outbox.Meta, m *backupv1.SnapshotFailed) error {
		return take(ctx, tx, in, meta, condition{
			name: "SnapshotFailed", severity: "sev3", area: "platform",
			summary: "Snapshot failed: " + m.GetSnapshot(), details: problem(m.GetError()),
			from: meta.Time, until: meta.Time.Add(untilTold),
		})
	}
}

func onSnapshotVerified(in Intake) func(context.Context, *pg.Tx, outbox.Meta, *backupv1.SnapshotVerified) error {
	return func(ctx context.Context, tx *pg.Tx, meta outbox.Meta, m *backupv1.SnapshotVerified) error {
		return take(ctx, tx, in, meta, condition{
			name: "SnapshotFailed", severity: "sev3", area: "platform",
			summary: "Snapshot verified: " + m.GetSnapshot(), from: meta.Time, until: meta.Time,
		})
	}
}

func problem(p *backupv1.Problem) map[string]string {
	return map[string]string{"reason": p.GetReason(), "description": p.GetMessage(), "remedy": p.GetRemedy()}
}
