package custody

import (
	"context"
	"time"

	"github.com/naksha-cloud/naksha/pkg/fault"
	"github.com/naksha-cloud/naksha/pkg/pg"
	"github.com/naksha-cloud/naksha/services/rotation/internal/credential"
	"github.com/naksha-cloud/naksha/services/rotation/internal/rotation"
)

// Request identifies a repeatable request (AIP-155); the zero Request is not remembered.
type Request struct {
	Scope string // method and principal
	ID    string // UUID chosen by the caller
	Hash  []byte // of the request's body
}

// Order asks for a rotation.
type Order struct {
	Credential  credential.Name
	QuietWindow *time.Duration // nil = the service's default
	Deadline    *time.Duration // nil = the service's default
	Request     Request
}

// ReusedID is the fault for a request id that came before with another body.
func ReusedID(id string) *fault.Fault {
	return fault.Exists("REQUEST_ID_REUSED", "The request id %s was used for another request.", id).
		WithRemedy("Send a new UUID with each new request, and the same one only with an exact repeat.")
}

// Create starts a rotation. A repeat of a request answers with the rotation as it stands now.
func (c *Custody) Create(ctx context.Context, o Order) (rotation.Rotation, []rotation.Entry, error) {
	var id string
	err := c.Store.InTx(ctx, func(ctx context.Context, tx *pg.Tx) (err error) {
		id, err = c.create(ctx, tx, o)
		return err
	})
	if err != nil {
		return rotation.Rotation{}, nil, err
	}
	return c.Store.Rotation(ctx, id)
}

func (c *Custody) create(ctx context.Context, tx *pg.Tx, o Order) (id string, err error) {
	of, err := c.Store.LockCredential(ctx, tx, o.Credential)
	if err != nil {
		return "", err
	}
	if o.Request.ID != "" {
		if earlier, err := c.Store.Recall(ctx, tx, o.Request); err != nil || earlier != "" {
			return earlier, err
		}
	}
	if !of.RetiredAt.IsZero() {
		return "", credential.Retired(of.Name)
	}
	if of.RotationID != "" {
		return "", rotation.Active(of.Name)
	}
	r, err := c.begin(ctx, tx, of, or(o.QuietWindow, c.config.QuietWindow), or(o.Deadline, c.config.Deadline))
	if err != nil || o.Request.ID == "" {
		return r.ID, err
	}
	return r.ID, c.Store.Remember(ctx, tx, o.Request, r.ID)
}

func or(asked *time.Duration, otherwise time.Duration) time.Duration {
	if asked != nil {
		return *asked
	}
	return otherwise
}
