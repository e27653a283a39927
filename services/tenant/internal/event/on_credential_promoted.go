package event

import (
	"context"
	"strings"

	"github.com/naksha-cloud/naksha/pkg/outbox"
	"github.com/naksha-cloud/naksha/pkg/pg"
	rotationv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/rotation/v1"
	"github.com/naksha-cloud/naksha/services/tenant/internal/workspace"
)

// Logins keeps which generation a customer holds.
type Logins interface {
	PromoteLogin(ctx context.Context, tx *pg.Tx, ref string, generation int32) error
}

// OnCredentialPromoted remembers which login generation a workspace's customer holds from now on.
func OnCredentialPromoted(logins Logins) outbox.Reaction {
	return outbox.On(func(ctx context.Context, tx *pg.Tx, _ outbox.Meta, m *rotationv1.CredentialPromoted) error {
		name, ok := strings.CutSuffix(m.GetCredential(), "/credentials/database")
		if !ok {
			return nil // another kind of credential
		}
		ref, ok := workspace.ParseName(name)
		if !ok {
			return nil
		}
		return logins.PromoteLogin(ctx, tx, ref, m.GetGeneration())
	})
}
