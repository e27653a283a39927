package snapshot

import (
	"time"

	"github.com/google/uuid"
)

// Requested says that somebody, or the schedule, asked for a snapshot.
type Requested struct {
	Ref string
	ID  uuid.UUID
}

// Completed says that the copy was read back and is equal.
type Completed struct {
	Ref         string
	ID          uuid.UUID
	TakenAt     time.Time
	StoredBytes int64
	Rows        int64
	Objects     int64
}

// GivenUp says that the snapshot was given up.
type GivenUp struct {
	Ref     string
	ID      uuid.UUID
	Problem Problem
}
