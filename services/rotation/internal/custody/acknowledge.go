package custody

import (
	"context"

	"github.com/naksha-cloud/naksha/pkg/fault"
	"github.com/naksha-cloud/naksha/pkg/pg"
	"github.com/naksha-cloud/naksha/services/rotation/internal/credential"
	"github.com/naksha-cloud/naksha/services/rotation/internal/rotation"
)

// Acknowledge takes the holder's word that it uses a generation, and returns the rotation that made it ("" for one that
// was minted elsewhere). A repeat changes nothing. service is the caller when a service asks for itself.
func (c *Custody) Acknowledge(ctx context.Context, n credential.Name, number int32, service string) (name string, err error) {
	if err := n.CheckHolder(service); err != nil {
		return "", err
	}
	err = c.Store.InTx(ctx, func(ctx context.Context, tx *pg.Tx) (err error) {
		name, err = c.acknowledge(ctx, tx, n, number)
		return err
	})
	return name, err
}

func (c *Custody) acknowledge(ctx context.Context, tx *pg.Tx, n credential.Name, number int32) (string, error) {
	of, err := c.Store.LockCredential(ctx, tx, n)
	if err != nil {
		return "", err
	}
	if !of.RetiredAt.IsZero() {
		return "", credential.Retired(n)
	}
	r, found, err := c.Store.RotationByGeneration(ctx, tx, n, number)
	switch {
	case err != nil:
		return "", err
	case number == of.Active && !found:
		return "", nil
	case number == of.Active:
		return r.Name(), nil
	case !found:
		return "", notAnnounced(n, number, of.Active)
	case r.State == rotation.Aborted, r.State == rotation.Completed, number < of.Active:
		return "", superseded(n, number, of.Active)
	case r.Stage() != rotation.Announced:
		return "", notAnnounced(n, number, of.Active)
	}
	tx.AfterCommit(c.Kick)
	return r.Name(), c.Store.Acknowledge(ctx, tx, r)
}

func notAnnounced(n credential.Name, number, active int32) error {
	return fault.Precondition("GENERATION_NOT_ANNOUNCED", "Generation %d of %s is not announced; the active one is %d.",
		number, n, active).WithRemedy("Redeem the credential and acknowledge the generation that the reply names.")
}

func superseded(n credential.Name, number, active int32) error {
	return fault.Precondition("GENERATION_SUPERSEDED", "Generation %d of %s is over; the active one is %d.",
		number, n, active).WithRemedy("Redeem the credential and reconnect with the generation that the reply names.")
}
