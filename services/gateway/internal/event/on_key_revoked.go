package event

import (
	"context"

	"github.com/naksha-cloud/naksha/pkg/outbox"
	"github.com/naksha-cloud/naksha/pkg/pg"
	tenantv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/tenant/v1"
	"github.com/naksha-cloud/naksha/services/gateway/internal/key"
)

// Revocations is where it is noted that keys stopped working.
type Revocations interface {
	// NoteRevocation keeps r in tx, for every replica.
	NoteRevocation(ctx context.Context, tx *pg.Tx, r key.Revocation) error
}

// Forget drops at once what this replica remembers of the keys, and pokes the others.
type Forget func(r key.Revocation)

// OnKeyRevoked refuses the key from its next call on.
func OnKeyRevoked(revocations Revocations, forget Forget) outbox.Reaction {
	return outbox.On(func(ctx context.Context, tx *pg.Tx, _ outbox.Meta, m *tenantv1.KeyRevoked) error {
		return note(ctx, tx, revocations, forget, key.Revocation{KID: m.GetKid()})
	})
}

func note(ctx context.Context, tx *pg.Tx, revocations Revocations, forget Forget, r key.Revocation) error {
	r.At = tx.Now
	if r.KID == "" && r.Workspace == "" {
		return nil // names nothing that could be forgotten
	}
	if err := revocations.NoteRevocation(ctx, tx, r); err != nil {
		return err
	}
	tx.AfterCommit(func() { forget(r) })
	return nil
}
