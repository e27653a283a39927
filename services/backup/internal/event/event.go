package event

import (
	"context"
	"time"

	"github.com/naksha-cloud/naksha/pkg/outbox"
	"github.com/naksha-cloud/naksha/pkg/pg"
)

// Store is what facts change.
type Store interface {
	// AddWorkspace notes a workspace and when its first snapshot is due.
	AddWorkspace(ctx context.Context, tx *pg.Tx, ref, server string, createdAt time.Time) error
	// DeleteWorkspace ends the workspace's schedule.
	DeleteWorkspace(ctx context.Context, tx *pg.Tx, ref string, at time.Time) error
	// Announce notes that a generation of a server's reader can be redeemed; 0 = the server exists.
	Announce(ctx context.Context, tx *pg.Tx, server string, generation int) error
}

// Reactions are what facts of other services do here, by the service that owns the facts. redeem is called when there may
// be a credential to redeem.
func Reactions(s Store, redeem func()) map[string][]outbox.Reaction {
	return map[string][]outbox.Reaction{
		"tenant":   {onWorkspaceCreated(s, redeem), onWorkspaceDeleted(s), onWorkspaceSnapshotted(s, redeem)},
		"rotation": {onCredentialAnnounced(s, redeem)},
	}
}
