package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/naksha-cloud/naksha/pkg/pg"
	"github.com/naksha-cloud/naksha/services/tenant/internal/claim"
	"github.com/naksha-cloud/naksha/services/tenant/internal/key"
	"github.com/naksha-cloud/naksha/services/tenant/internal/plan"
	"github.com/naksha-cloud/naksha/services/tenant/internal/request"
	"github.com/naksha-cloud/naksha/services/tenant/internal/workspace"
)

// Claim gives the oldest ready slot of a cell to a new workspace, or returns what is known of an order that was carried
// out before. claim.ErrNoSlot: none is ready.
func (s *Store) Claim(ctx context.Context, cell string, r request.Request, fill claim.Fill) (*request.Seen, error) {
	return s.once(ctx, r, func(ctx context.Context, tx *pg.Tx) error {
		ref, secrets, err := s.findSlot(ctx, tx, cell)
		if err != nil {
			return err
		}
		filled, err := fill(ref, secrets, tx.Now)
		if err != nil {
			return err
		}
		return s.own(ctx, tx, r, filled)
	})
}

func (s *Store) findSlot(ctx context.Context, tx *pg.Tx, cell string) (ref string, secrets []byte, err error) {
	err = tx.QueryRow(ctx, s.query("find_ready_slot"), cell).Scan(&ref, &secrets)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return "", nil, claim.ErrNoSlot
	case err != nil:
		return "", nil, fmt.Errorf("find a ready slot: %w", err)
	}
	return ref, secrets, nil
}

// own writes everything that makes a slot a customer's, in one round trip, and the fact.
func (s *Store) own(ctx context.Context, tx *pg.Tx, r request.Request, f claim.Filled) error {
	w := f.Workspace
	rows := s.pipeline()
	rows.add("claim_slot", w.Ref, f.Left)
	rows.add("insert_workspace", w.Ref, w.DisplayName, w.Plan, plan.Free, w.Cell, w.Server, tx.Now)
	for _, k := range f.Keys {
		rows.insertKey(k)
	}
	rows.note(r, workspace.Name(w.Ref), f.Reply, tx.Now)
	if err := rows.run(ctx, tx); err != nil {
		return fmt.Errorf("claim slot %s: %w", w.Ref, err)
	}
	return s.emit(ctx, tx, workspace.Created{Workspace: w})
}

func (p *pipeline) insertKey(k key.Stored) {
	var ref *string
	if k.Workspace != "" {
		ref = &k.Workspace
	}
	p.add("insert_key", k.Kid, ref, string(k.Kind), k.DisplayName, k.Hash, k.Pepper, k.CreateTime, k.ExpireTime)
}
