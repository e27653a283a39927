// Package snapshot is the noun: a consistent copy of one workspace, its states and its facts. It copies nothing.
package snapshot

import (
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/naksha-cloud/naksha/pkg/fault"
)

// State is how far a snapshot is.
type State string

// The states, in order.
const (
	Pending  State = "pending"  // accepted, not begun
	Running  State = "running"  // being read and written
	Verified State = "verified" // read back from every region that has it, and equal
	Failed   State = "failed"   // given up
)

// Ended says that nothing will change any more.
func (s State) Ended() bool { return s == Verified || s == Failed }

// Position is where a page of a list begins, newest first: everything before it was listed.
type Position struct {
	At time.Time
	ID uuid.UUID
}

// Newest is before everything.
func Newest() Position {
	return Position{At: time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC), ID: uuid.Max}
}

// Table is what one table held at the moment of a snapshot.
type Table struct {
	Name     string `json:"name"`     // as in pg_class, unquoted
	Rows     int64  `json:"rows"`     // of the table itself, not of those that inherit from it
	Checksum string `json:"checksum"` // decimal; README: "Checksum of a table"
}

// Problem is why long work failed, for people outside.
type Problem struct {
	Reason  string `json:"reason"`  // UPPER_SNAKE, stable
	Message string `json:"message"` // one sentence
	Remedy  string `json:"remedy"`  // what to do next
}

// ProblemOf is what outsiders learn of err: a fault's own words, and nothing of any other error.
func ProblemOf(err error) Problem {
	f := fault.From(err)
	return Problem{Reason: f.Reason, Message: f.Message, Remedy: f.Remedy}
}

// Copy is one region's copy of a snapshot.
type Copy struct {
	Region     string
	VerifiedAt *time.Time // when every byte had been read back and compared; nil = not verified
	Error      string     // why it is missing; empty when present
}

// Snapshot is a consistent copy of one workspace.
type Snapshot struct {
	ID          uuid.UUID
	Ref         string
	State       State
	Progress    int // percent
	Problem     *Problem
	CreatedAt   time.Time
	TakenAt     *time.Time // the moment that the rows show
	EndedAt     *time.Time
	Tables      []Table
	Rows        int64 // of all tables
	RawBytes    int64 // of the rows in COPY form
	StoredBytes int64 // in each region
	Objects     int64
	ObjectBytes int64
	Copies      []Copy
}

// Name is the resource name `workspaces/{ref}/snapshots/{id}`.
func Name(ref string, id uuid.UUID) string { return fmt.Sprintf("workspaces/%s/snapshots/%s", ref, id) }

// Workspace is the resource name `workspaces/{ref}`.
func Workspace(ref string) string { return "workspaces/" + ref }

// Schema is the live schema of a workspace.
func Schema(ref string) string { return "w_" + ref }

// Bucket is the bucket of a workspace in every region.
func Bucket(ref string) string { return "w-" + ref }

// Taken is what one attempt at a snapshot found and wrote.
type Taken struct {
	At          time.Time
	Tables      []Table
	Rows        int64
	RawBytes    int64
	StoredBytes int64
	Objects     int64
	ObjectBytes int64
}
