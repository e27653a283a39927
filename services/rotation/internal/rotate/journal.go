package rotate

import (
	"context"
	"errors"
	"time"

	"github.com/naksha-cloud/naksha/services/rotation/internal/credential"
	"github.com/naksha-cloud/naksha/services/rotation/internal/generation"
	"github.com/naksha-cloud/naksha/services/rotation/internal/rotation"
)

// Lease is a rotation that this replica works on until its lease ends. Each claim has a higher epoch; what an earlier
// epoch still writes is refused.
type Lease struct {
	Rotation rotation.Rotation
	Epoch    int64
	For      time.Duration // each write extends the lease to so long from then
}

// Outcome is what an action led to, written in one transaction.
type Outcome struct {
	Decision   rotation.Decision
	Transition rotation.Transition
	Secret     generation.Secret // of Mint: sealed before it is written; zero otherwise
	Failure    *rotation.Failure // nil = it worked
}

// ErrFenced says that another replica holds the rotation by now: this one has no say any more.
var ErrFenced = errors.New("the lease of the rotation was lost")

// Journal keeps rotations durably. Every method of a Lease returns ErrFenced when a later epoch exists, and otherwise
// leaves in the Lease what is now written, with the newest inputs.
type Journal interface {
	// Claim leases rotations that are due and that nobody works on, at most limit.
	Claim(ctx context.Context, owner string, limit int, lease time.Duration) ([]*Lease, error)
	// Intend puts on record that d is about to be done at the target. It commits before the act.
	Intend(ctx context.Context, l *Lease, d rotation.Decision) error
	// Record writes what came of it, with all that follows.
	Record(ctx context.Context, l *Lease, o Outcome) error
	// Park writes r, which has nothing to do before r.DueAt, and ends the lease. An input that arrived meanwhile makes it
	// due at once.
	Park(ctx context.Context, l *Lease, r rotation.Rotation) error
	// Release ends the lease and changes nothing.
	Release(ctx context.Context, l *Lease) error
	// Secret opens the sealed secret of a generation; zero for one that somebody else minted.
	Secret(ctx context.Context, c credential.Name, number int32) (generation.Secret, error)
	// Survey looks over everything that is under way.
	Survey(ctx context.Context) (Survey, error)
}

// Survey is how rotations stand.
type Survey struct {
	NextDue  time.Time // when the next rotation may be claimed; zero = none is under way
	Active   int64     // rotations under way
	Blocked  int64     // of these, BLOCKED
	OldestAt time.Time // when the oldest active generation became active; zero = there is none
}
