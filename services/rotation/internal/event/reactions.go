package event

import (
	"github.com/naksha-cloud/naksha/pkg/outbox"
	"github.com/naksha-cloud/naksha/services/rotation/internal/custody"
)

// Reactions are what this service does about others' facts, by the service that owns them.
func Reactions(c *custody.Custody) map[string][]outbox.Reaction {
	return map[string][]outbox.Reaction{"tenant": {onWorkspaceCreated(c), onWorkspaceDeleted(c), onWorkspaceSnapshotted(c)}}
}
