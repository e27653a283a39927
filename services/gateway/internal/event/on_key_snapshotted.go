package event

import (
	"context"

	"github.com/naksha-cloud/naksha/pkg/outbox"
	"github.com/naksha-cloud/naksha/pkg/pg"
	tenantv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/tenant/v1"
	"github.com/naksha-cloud/naksha/services/gateway/internal/key"
)

// OnKeySnapshotted catches up with a key whose facts are gone: a revoked one is refused.
func OnKeySnapshotted(revocations Revocations, forget Forget) outbox.Reaction {
	return outbox.On(func(ctx context.Context, tx *pg.Tx, _ outbox.Meta, m *tenantv1.KeySnapshotted) error {
		if m.RevokeTime == nil {
			return nil
		}
		return note(ctx, tx, revocations, forget, key.Revocation{KID: m.GetKid()})
	})
}
