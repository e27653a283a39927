// Package rotation is the state machine that replaces a credential's active generation: what a rotation knows (Rotation),
// what was seen at the target (Observation), what to do next and why (Step), and what follows from what was done (After,
// Failed, Parked). All of it is pure: no clock, no I/O, no randomness but what is handed in, so that a simulation can run
// the same code. It refuses to disable the old generation before the new one is verified, acknowledged, and the old one
// seen unused; and to destroy anything while it is unclear which generation lives.
package rotation

import (
	"time"

	"github.com/naksha-cloud/naksha/pkg/fault"
	"github.com/naksha-cloud/naksha/services/rotation/internal/credential"
)

// Rotation is one replacement of a credential's active generation.
type Rotation struct {
	ID          string // UUIDv7
	Credential  credential.Name
	Old, New    int32         // generations; Old is 0 for a credential's first
	QuietWindow time.Duration // how long no session of the old one may be seen before it is disabled
	Deadline    time.Time     // when waiting for acknowledgement and silence becomes BLOCKED
	CreatedAt   time.Time

	State       State
	Resume      State     // where a BLOCKED rotation goes on; empty otherwise
	Blocked     Problem   // why it is BLOCKED; zero otherwise
	PromotedAt  time.Time // when the acknowledgement took effect; zero before
	OldSeenAt   time.Time // when a session of the old generation was last seen after that; zero = never
	Refusals    int       // how often the target refused the new generation's login
	Failures    int       // failures in a row of what is being tried
	RetryAt     time.Time // not before; zero = at once
	DueAt       time.Time // when to look again
	EndedAt     time.Time // zero = under way
	AbortReason Problem   // why the new generation is to be destroyed; zero = it is not

	Inputs // what others say; never changed by the machine itself
}

// Inputs are what a rotation is told from outside while it runs.
type Inputs struct {
	AcknowledgedAt time.Time // when the holder said that it uses the new generation; zero = not yet
	Retired        bool      // the credential's owner was deleted
	Count          int       // grows with each input, so that none is overlooked
}

// Problem is why a rotation cannot go on.
type Problem struct {
	Reason  Reason
	Message string // one sentence with the remedy, for people; no secret
}

// Name is the resource name, `{credential}/rotations/{id}`.
func (r Rotation) Name() string { return string(r.Credential) + "/rotations/" + r.ID }

// Stage is the state without regard to BLOCKED: where the work is.
func (r Rotation) Stage() State {
	if r.State == Blocked {
		return r.Resume
	}
	return r.State
}

// Active is the fault for a second rotation of a credential.
func Active(n credential.Name) *fault.Fault {
	return fault.Precondition("ROTATION_ACTIVE", "A rotation of %s is under way.", n).
		WithRemedy("Wait until it is COMPLETED; if it is BLOCKED, remove the cause that it names.")
}

// Unknown is the fault for a rotation that does not exist.
func Unknown(name string) *fault.Fault {
	return fault.NotFound("ROTATION_UNKNOWN", "There is no rotation %s.", name).
		WithRemedy("List the credential's rotations.")
}

// Entry is one step of a rotation's journal.
type Entry struct {
	State    State // that the step led to
	At       time.Time
	Evidence string // what was measured; no secret
}

// Position is where a page of rotations begins: after this one. The zero Position is the first page.
type Position struct {
	CreatedAt time.Time
	ID        string
}
