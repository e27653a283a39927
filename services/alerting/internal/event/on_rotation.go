package event

import (
	"context"

	"github.com/naksha-cloud/naksha/pkg/outbox"
	"github.com/naksha-cloud/naksha/pkg/pg"
	rotationv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/rotation/v1"
)

// rotationBlocked is one credential's alert: it begins when its rotation waits for a person, and ends when it is done.
const rotationBlocked = "RotationBlocked"

func onRotationBlocked(in Intake) func(context.Context, *pg.Tx, outbox.Meta, *rotationv1.RotationBlocked) error {
	return func(ctx context.Context, tx *pg.Tx, meta outbox.Meta, m *rotationv1.RotationBlocked) error {
		return take(ctx, tx, in, meta, condition{
			name: rotationBlocked, severity: "sev2", area: "security",
			labels:  map[string]string{"credential": m.GetCredential()},
			summary: "Rotation blocked: " + m.GetCredential(),
			details: map[string]string{"reason": m.GetReason(), "description": m.GetMessage(), "rotation": m.GetRotation()},
			from:    meta.Time, until: meta.Time.Add(untilTold),
		})
	}
}

func onCredentialRotated(in Intake) func(context.Context, *pg.Tx, outbox.Meta, *rotationv1.CredentialRotated) error {
	return func(ctx context.Context, tx *pg.Tx, meta outbox.Meta, m *rotationv1.CredentialRotated) error {
		return take(ctx, tx, in, meta, condition{
			name: rotationBlocked, severity: "sev2", area: "security",
			labels:  map[string]string{"credential": m.GetCredential()},
			summary: "Rotated: " + m.GetCredential(), from: meta.Time, until: meta.Time,
		})
	}
}
