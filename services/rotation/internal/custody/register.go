package custody

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/naksha-cloud/naksha/pkg/pg"
	"github.com/naksha-cloud/naksha/services/rotation/internal/credential"
	"github.com/naksha-cloud/naksha/services/rotation/internal/rotation"
)

// Workspace is what custody needs to know of a new one.
type Workspace struct {
	Name       string // `workspaces/{ref}`
	Server     string // `servers/{id}` that holds it
	Generation int32  // login generation that its customer got with it, minted by tenant
}

// Register takes a workspace's database credential into custody, and its server's reading credential when this is the
// first workspace there: that one has no generation yet, so a rotation to the first one begins. A repeat changes nothing.
func (c *Custody) Register(ctx context.Context, tx *pg.Tx, w Workspace) error {
	_, err := c.Store.AddCredential(ctx, tx, credential.Credential{
		Name: credential.ForWorkspace(w.Name), Active: w.Generation, ActiveAt: tx.Now, Last: w.Generation,
	})
	if err != nil || w.Server == "" {
		return err
	}
	reader := credential.Credential{Name: credential.ForServer(w.Server)}
	added, err := c.Store.AddCredential(ctx, tx, reader)
	if err != nil || !added {
		return err
	}
	_, err = c.begin(ctx, tx, reader, c.config.QuietWindow, c.config.Deadline)
	return err
}

// Retire ends a deleted workspace's credential: its secrets are erased and a rotation that is under way is aborted.
func (c *Custody) Retire(ctx context.Context, tx *pg.Tx, workspace string) error {
	tx.AfterCommit(c.Kick)
	return c.Store.RetireCredential(ctx, tx, credential.ForWorkspace(workspace))
}

// begin adds a rotation from the credential's active generation to the next number.
func (c *Custody) begin(ctx context.Context, tx *pg.Tx, of credential.Credential, quiet, deadline time.Duration,
) (rotation.Rotation, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return rotation.Rotation{}, err
	}
	r := rotation.Rotation{
		ID: id.String(), Credential: of.Name, Old: of.Active, New: of.Last + 1, QuietWindow: quiet,
		Deadline: tx.Now.Add(deadline), CreatedAt: tx.Now, DueAt: tx.Now, State: rotation.Planned,
	}
	if err := c.Store.AddRotation(ctx, tx, r); err != nil {
		return rotation.Rotation{}, err
	}
	tx.AfterCommit(c.Kick)
	return r, c.Emit(ctx, tx, rotation.RotationRequested{Credential: of.Name, Rotation: r.Name()})
}
