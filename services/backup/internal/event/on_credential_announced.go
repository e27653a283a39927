package event

import (
	"context"
	"strings"

	"github.com/naksha-cloud/naksha/pkg/outbox"
	"github.com/naksha-cloud/naksha/pkg/pg"
	rotationv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/rotation/v1"
)

// onCredentialAnnounced notes a new generation of our own reading login; customers' credentials are not ours.
func onCredentialAnnounced(s Store, redeem func()) outbox.Reaction {
	return outbox.On(func(ctx context.Context, tx *pg.Tx, _ outbox.Meta, m *rotationv1.CredentialAnnounced) error {
		server, ours := strings.CutSuffix(m.GetCredential(), "/credentials/backup-reader")
		if !ours || !strings.HasPrefix(server, "servers/") {
			return nil
		}
		tx.AfterCommit(redeem)
		return s.Announce(ctx, tx, server, int(m.GetGeneration()))
	})
}
