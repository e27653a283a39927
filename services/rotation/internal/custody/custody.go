// Package custody hands credentials to their holders and takes their word: it registers credentials when their owners
// appear, starts rotations, redeems the newest generation to its holder alone, and takes acknowledgements. It refuses to
// hand out what is not announced yet, and whatever is held by somebody else. It moves no rotation; package rotate does.
package custody

import (
	"context"
	"log/slog"
	"time"

	"github.com/naksha-cloud/naksha/pkg/pg"
	"github.com/naksha-cloud/naksha/services/rotation/internal/credential"
	"github.com/naksha-cloud/naksha/services/rotation/internal/generation"
	"github.com/naksha-cloud/naksha/services/rotation/internal/rotation"
)

// Store keeps credentials and rotations. Methods with a transaction take part in it.
type Store interface {
	InTx(ctx context.Context, f func(ctx context.Context, tx *pg.Tx) error) error
	// LockCredential reads a credential and keeps others from changing it until the transaction ends.
	LockCredential(ctx context.Context, tx *pg.Tx, n credential.Name) (credential.Credential, error)
	// AddCredential adds a credential unless it is known; false when it is.
	AddCredential(ctx context.Context, tx *pg.Tx, c credential.Credential) (added bool, err error)
	// RetireCredential marks it as ended, erases its secrets, and tells its rotation if one is under way.
	RetireCredential(ctx context.Context, tx *pg.Tx, n credential.Name) error
	// AddRotation adds a rotation and its new generation's number; rotation.Active when one is under way.
	AddRotation(ctx context.Context, tx *pg.Tx, r rotation.Rotation) error
	// RotationByGeneration reads the rotation that made a generation; false when none did.
	RotationByGeneration(ctx context.Context, tx *pg.Tx, n credential.Name, number int32) (rotation.Rotation, bool, error)
	// Acknowledge notes the holder's word on a rotation that waits for it.
	Acknowledge(ctx context.Context, tx *pg.Tx, r rotation.Rotation) error
	// Recall finds the rotation that an earlier, equal request was answered with, "" for a new request; ReusedID for
	// another body under the same id.
	Recall(ctx context.Context, tx *pg.Tx, q Request) (rotationID string, err error)
	// Remember notes what a request was answered with; ReusedID when the id was taken meanwhile.
	Remember(ctx context.Context, tx *pg.Tx, q Request, rotationID string) error
	// Rotation reads one rotation.
	Rotation(ctx context.Context, id string) (rotation.Rotation, []rotation.Entry, error)
	// Redeemable finds the newest generation that a holder may have; false when there is none.
	Redeemable(ctx context.Context, n credential.Name) (Redeemable, bool, error)
	// NoteRedemption records who was handed a generation.
	NoteRedemption(ctx context.Context, r Redemption) error
}

// Locator says how a generation logs in at its target.
type Locator interface {
	// Locate returns the login and its connection string, which holds the password.
	Locate(ctx context.Context, c credential.Name, number int32, s generation.Secret) (user, url string, err error)
}

// Config holds a rotation's defaults.
type Config struct {
	QuietWindow time.Duration
	Deadline    time.Duration
}

// Deps are a Custody's parts, all required.
type Deps struct {
	Store    Store
	Locators map[credential.Kind]Locator
	Emit     func(ctx context.Context, tx *pg.Tx, fact any) error
	Kick     func() // after a commit that made a rotation due
	Log      *slog.Logger
}

// Custody is safe for concurrent use.
type Custody struct {
	config Config
	Deps
}

// New returns a Custody.
func New(c Config, d Deps) *Custody { return &Custody{config: c, Deps: d} }
