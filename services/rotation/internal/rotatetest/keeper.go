package rotatetest

import (
	"context"

	"github.com/naksha-cloud/naksha/pkg/pg"
	"github.com/naksha-cloud/naksha/services/rotation/internal/credential"
	"github.com/naksha-cloud/naksha/services/rotation/internal/custody"
	"github.com/naksha-cloud/naksha/services/rotation/internal/generation"
	"github.com/naksha-cloud/naksha/services/rotation/internal/rotation"
)

// InTx runs f in one transaction, which is one decision of the world. Hooks after the commit are not run: whoever is to
// hear of it finds it by polling.
func (c *Conn) InTx(ctx context.Context, f func(ctx context.Context, tx *pg.Tx) error) error {
	now := c.now()
	_, err := askTx(ctx, c, "transaction", func() (struct{}, error) { return struct{}{}, f(ctx, &pg.Tx{Now: now}) })
	return err
}

// Emit records a fact.
func (c *Conn) Emit(_ context.Context, _ *pg.Tx, fact any) error {
	c.record.Facts = append(c.record.Facts, fact)
	return nil
}

// LockCredential reads a credential.
func (c *Conn) LockCredential(_ context.Context, _ *pg.Tx, n credential.Name) (credential.Credential, error) {
	of, found := c.record.Credentials[n]
	if !found {
		return of, credential.Unknown(n)
	}
	if r := c.record.Active(n); r != nil {
		of.RotationID = r.ID
	}
	return of, nil
}

// AddCredential adds a credential unless it is known.
func (c *Conn) AddCredential(_ context.Context, _ *pg.Tx, of credential.Credential) (bool, error) {
	if _, known := c.record.Credentials[of.Name]; known {
		return false, nil
	}
	c.record.Credentials[of.Name] = of
	c.record.Generations[of.Name] = map[int32]Generation{}
	if of.Active > 0 {
		c.record.Generations[of.Name][of.Active] = Generation{State: generation.Active}
	}
	return true, nil
}

// RetireCredential marks it as ended, erases its secrets, and tells its rotation.
func (c *Conn) RetireCredential(_ context.Context, tx *pg.Tx, n credential.Name) error {
	of := c.record.Credentials[n]
	of.Name = n
	if of.RetiredAt.IsZero() {
		of.RetiredAt = tx.Now
	}
	c.record.Credentials[n] = of
	if r := c.record.Active(n); r != nil && !r.Retired {
		r.Retired, r.DueAt, r.RetryAt = true, tx.Now, rotation.Rotation{}.RetryAt
		r.Count++
	}
	for number, g := range c.record.Generations[n] {
		g.Secret = generation.Secret{}
		c.record.Generations[n][number] = g
	}
	return nil
}

// AddRotation adds a rotation and takes its new generation's number for good.
func (c *Conn) AddRotation(_ context.Context, _ *pg.Tx, r rotation.Rotation) error {
	if c.record.Active(r.Credential) != nil {
		return rotation.Active(r.Credential)
	}
	c.record.Rotations = append(c.record.Rotations, Row{Rotation: r})
	of := c.record.Credentials[r.Credential]
	of.Last = r.New
	c.record.Credentials[r.Credential] = of
	return nil
}

// RotationByGeneration reads the rotation that made a generation.
func (c *Conn) RotationByGeneration(_ context.Context, _ *pg.Tx, n credential.Name, number int32) (rotation.Rotation, bool, error) {
	r := c.record.row(func(r Row) bool { return r.Credential == n && r.New == number })
	if r == nil {
		return rotation.Rotation{}, false, nil
	}
	return r.Rotation, true, nil
}

// Acknowledge notes the holder's word, once.
func (c *Conn) Acknowledge(_ context.Context, tx *pg.Tx, r rotation.Rotation) error {
	if row := c.record.byID(r.ID); row.AcknowledgedAt.IsZero() {
		row.AcknowledgedAt, row.DueAt = tx.Now, tx.Now
		row.Count++
	}
	return nil
}

// Recall finds the rotation that an earlier, equal request was answered with.
func (c *Conn) Recall(_ context.Context, _ *pg.Tx, q custody.Request) (string, error) {
	a, found := c.record.requests[q.Scope+q.ID]
	if found && a.hash != string(q.Hash) {
		return "", custody.ReusedID(q.ID)
	}
	return a.rotation, nil
}

// Remember notes what a request was answered with.
func (c *Conn) Remember(_ context.Context, _ *pg.Tx, q custody.Request, rotationID string) error {
	c.record.requests[q.Scope+q.ID] = answered{hash: string(q.Hash), rotation: rotationID}
	return nil
}

// Rotation reads one with its journal.
func (c *Conn) Rotation(ctx context.Context, id string) (rotation.Rotation, []rotation.Entry, error) {
	r, err := ask(ctx, c, "read rotation", func() (rotation.Rotation, error) {
		if r := c.record.byID(id); r != nil {
			return r.Rotation, nil
		}
		return rotation.Rotation{}, rotation.Unknown(id)
	})
	return r, nil, err
}

// Redeemable finds the newest generation that a holder may have.
func (c *Conn) Redeemable(ctx context.Context, n credential.Name) (custody.Redeemable, bool, error) {
	g, err := ask(ctx, c, "redeemable "+n.Owner(), func() (custody.Redeemable, error) {
		if of, known := c.record.Credentials[n]; !known || !of.RetiredAt.IsZero() {
			return custody.Redeemable{}, credential.Unknown(n)
		}
		g, _ := c.record.redeemable(n)
		return g, nil
	})
	return g, g.Generation > 0, err
}

// NoteRedemption records who was handed a generation.
func (c *Conn) NoteRedemption(ctx context.Context, r custody.Redemption) error {
	_, err := askTx(ctx, c, "redeemed "+r.Credential.Owner(), func() (struct{}, error) { return struct{}{}, nil })
	return err
}
