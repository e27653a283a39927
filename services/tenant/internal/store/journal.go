package store

import (
	"context"
	"fmt"
	"time"

	"github.com/naksha-cloud/naksha/pkg/pg"
	"github.com/naksha-cloud/naksha/services/tenant/internal/cell"
	"github.com/naksha-cloud/naksha/services/tenant/internal/loginops"
	"github.com/naksha-cloud/naksha/services/tenant/internal/stage"
	"github.com/naksha-cloud/naksha/services/tenant/internal/workspace"
)

// IntendLogin records what is about to be done to a login. An act that gives access is refused for a workspace that is
// not active; the row is held while the intent commits, so that a deletion comes before or sees the login.
func (s *Store) IntendLogin(ctx context.Context, o cell.Owner, generation int32, intent loginops.Intent) (w workspace.Workspace, err error) {
	err = s.pool.InTx(ctx, func(ctx context.Context, tx *pg.Tx) (err error) {
		if o.Ref != "" {
			if w, err = s.hold(ctx, tx, o.Ref); err != nil && (intent.GivesAccess() || w.Ref == "") {
				return err
			}
		}
		_, err = tx.Exec(ctx, s.query("intend_login"), o.Name(), generation, string(intent), tx.Now)
		return err
	})
	if err != nil {
		return w, fmt.Errorf("record intent for %s: %w", o.Role(generation), err)
	}
	return w, nil
}

// ConcludeLogin records that the act has ended well.
func (s *Store) ConcludeLogin(ctx context.Context, o cell.Owner, generation int32) error {
	return s.exec(ctx, "conclude_login", o.Name(), generation, s.pool.Now())
}

// SeeLogins records that sessions of these logins are open now.
func (s *Store) SeeLogins(ctx context.Context, seen []loginops.Seen) error {
	if len(seen) == 0 {
		return nil
	}
	owners, generations := make([]string, len(seen)), make([]int32, len(seen))
	for i, l := range seen {
		owners[i], generations[i] = l.Owner.Name(), l.Generation
	}
	return s.exec(ctx, "see_logins", owners, generations, s.pool.Now())
}

// LastSeen returns when sessions of an owner's generations were last seen.
func (s *Store) LastSeen(ctx context.Context, o cell.Owner) (map[int32]time.Time, error) {
	rows, err := s.pool.Query(ctx, s.query("list_seen"), o.Name())
	type row struct {
		Generation   int32
		LastSeenTime time.Time
	}
	found, err := pg.All[row](rows, err)
	if err != nil {
		return nil, fmt.Errorf("read last use of %s: %w", o.Name(), err)
	}
	seen := map[int32]time.Time{}
	for _, r := range found {
		seen[r.Generation] = r.LastSeenTime.UTC()
	}
	return seen, nil
}

// IntendRestore records what is about to be done for a restore. A deleted workspace's restores can only be cleared.
func (s *Store) IntendRestore(ctx context.Context, r cell.Restore, intent stage.Intent) error {
	return s.pool.InTx(ctx, func(ctx context.Context, tx *pg.Tx) error {
		if w, err := s.hold(ctx, tx, r.Ref); err != nil && (intent != stage.Clear || w.Ref == "") {
			return err
		}
		if _, err := tx.Exec(ctx, s.query("intend_restore"), r.Ref, r.ID, string(intent), tx.Now); err != nil {
			return fmt.Errorf("record intent for restore %s: %w", r.ID, err)
		}
		return nil
	})
}

// ConcludeRestore records that the act has ended well, and tells a swap once.
func (s *Store) ConcludeRestore(ctx context.Context, r cell.Restore, swapped bool) error {
	return s.pool.InTx(ctx, func(ctx context.Context, tx *pg.Tx) error {
		var before bool
		if err := tx.QueryRow(ctx, s.query("conclude_restore"), r.Ref, r.ID, tx.Now, swapped).Scan(&before); err != nil {
			return fmt.Errorf("record outcome of restore %s: %w", r.ID, err)
		}
		if before || !swapped {
			return nil
		}
		return s.emit(ctx, tx, workspace.SchemaSwapped{Ref: r.Ref, RestoreID: r.ID, UndoSchema: r.Undo()})
	})
}
