// Package restore is the noun: the return of a workspace to a snapshot, its states and its facts. It loads nothing.
package restore

import (
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/naksha-cloud/naksha/services/backup/internal/snapshot"
)

// State is how far a restore is.
type State string

// The states, in order.
const (
	Pending   State = "pending"   // accepted, not begun
	Staging   State = "staging"   // being loaded beside the live data
	Comparing State = "comparing" // staged data is being compared with the snapshot
	Swapping  State = "swapping"  // being put in the live data's place: from here on it only goes forward
	Completed State = "completed" // live, and equal to the snapshot
	Failed    State = "failed"    // given up before the swap
	Undoing   State = "undoing"   // the replaced data is being put back
	Undone    State = "undone"    // the replaced data is live again
)

// Ended says that no worker has anything to do with it.
func (s State) Ended() bool { return s == Completed || s == Failed || s == Undone }

// Restore is one return of a workspace to a snapshot.
type Restore struct {
	ID           uuid.UUID
	Ref          string
	Snapshot     uuid.UUID
	State        State
	Progress     int // percent
	Problem      *snapshot.Problem
	Region       string // that the bytes were read from
	CreatedAt    time.Time
	EndedAt      *time.Time
	Tables       []snapshot.Table // as compared after staging
	Objects      int64            // put back
	UndoSchema   string           // that keeps the replaced data; empty when dropped
	UndoExpireAt *time.Time
}

// Name is the resource name `workspaces/{ref}/restores/{id}`.
func Name(ref string, id uuid.UUID) string { return fmt.Sprintf("workspaces/%s/restores/%s", ref, id) }

// Requested says that somebody asked for a restore.
type Requested struct {
	Ref string
	ID  uuid.UUID
}

// Finished says that the workspace shows the snapshot again.
type Finished struct {
	Ref      string
	ID       uuid.UUID
	Snapshot uuid.UUID
}

// GivenUp says that the restore was given up; the live data is as it was.
type GivenUp struct {
	Ref     string
	ID      uuid.UUID
	Problem snapshot.Problem
}

// Reverted says that the replaced data is live again.
type Reverted struct {
	Ref string
	ID  uuid.UUID
}
