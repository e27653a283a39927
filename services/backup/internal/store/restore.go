package store

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/naksha-cloud/naksha/pkg/fault"
	"github.com/naksha-cloud/naksha/pkg/pg"
	"github.com/naksha-cloud/naksha/services/backup/internal/request"
	"github.com/naksha-cloud/naksha/services/backup/internal/restore"
	"github.com/naksha-cloud/naksha/services/backup/internal/snapshot"
)

// CreateRestore accepts a restore, or returns the one that the same order made before.
func (s *Store) CreateRestore(ctx context.Context, o request.Key, from uuid.UUID, region string) (uuid.UUID, error) {
	var id uuid.UUID
	err := s.pool.InTx(ctx, func(ctx context.Context, tx *pg.Tx) error {
		deleted, err := lockWorkspace(ctx, tx, o.Ref)
		if err != nil {
			return err
		}
		id, err = once(ctx, tx, o, func() (uuid.UUID, error) {
			if deleted {
				return uuid.Nil, gone()
			}
			return s.addRestore(ctx, tx, o.Ref, from, region)
		})
		return err
	})
	return id, err
}

func (s *Store) addRestore(ctx context.Context, tx *pg.Tx, ref string, from uuid.UUID, region string) (uuid.UUID, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return uuid.Nil, fmt.Errorf("make id: %w", err)
	}
	_, err = tx.Exec(ctx, query("restore_add"), id, ref, from, region, tx.Now)
	if pg.Constraint(err) == "restore_one_active" {
		return uuid.Nil, active()
	}
	if err != nil {
		return uuid.Nil, fmt.Errorf("add restore: %w", err)
	}
	return id, s.emit(ctx, tx, restore.Requested{Ref: ref, ID: id})
}

func active() error {
	return fault.Precondition("RESTORE_ACTIVE", "Another restore of this workspace is under way.").
		WithRemedy("Wait until it has ended, then try again.")
}

// Restore returns one restore.
func (s *Store) Restore(ctx context.Context, ref string, id uuid.UUID) (restore.Restore, error) {
	rows, err := s.pool.Query(ctx, query("restore_get"), ref, id)
	found, err := pg.One[restore.Restore](rows, err)
	if pg.NoRows(err) {
		return restore.Restore{}, noRestore()
	}
	if err != nil {
		return restore.Restore{}, fmt.Errorf("read restore: %w", err)
	}
	return found, nil
}

func noRestore() error {
	return fault.NotFound("RESTORE_NOT_FOUND", "There is no such restore in this workspace.").
		WithRemedy("List the workspace's restores.")
}

// Restores returns a page, newest first, of those before a position.
func (s *Store) Restores(ctx context.Context, ref string, p snapshot.Position, limit int) ([]restore.Restore, error) {
	rows, err := s.pool.Query(ctx, query("restore_list"), ref, p.At, p.ID, limit)
	found, err := pg.All[restore.Restore](rows, err)
	if err != nil {
		return nil, fmt.Errorf("list restores: %w", err)
	}
	return found, nil
}

// Undo orders the undo of a workspace's newest restore. A repeat changes nothing.
func (s *Store) Undo(ctx context.Context, ref string, id uuid.UUID) error {
	return s.pool.InTx(ctx, func(ctx context.Context, tx *pg.Tx) error {
		if _, err := lockWorkspace(ctx, tx, ref); err != nil {
			return noRestore()
		}
		rows, err := tx.Query(ctx, query("restore_newest"), ref)
		newest, err := pg.One[newestRow](rows, err)
		if err != nil && !pg.NoRows(err) {
			return fmt.Errorf("look for the newest restore: %w", err)
		}
		if err != nil || newest.ID != id {
			return fault.Precondition("UNDO_NOT_POSSIBLE", "Only the newest completed restore of a workspace can be undone.").
				WithRemedy("List the workspace's restores; to go further back, restore a snapshot.")
		}
		return s.undo(ctx, tx, newest)
	})
}

type newestRow struct {
	ID           uuid.UUID
	State        restore.State
	UndoExpireAt *time.Time
	UndoCleared  bool
}

func (s *Store) undo(ctx context.Context, tx *pg.Tx, r newestRow) error {
	if r.State != restore.Completed {
		return nil
	}
	if r.UndoCleared || r.UndoExpireAt != nil && !r.UndoExpireAt.After(tx.Now) {
		return fault.Precondition("UNDO_EXPIRED", "The replaced data is not kept any more.").
			WithRemedy("Restore a snapshot that was taken before the restore.")
	}
	_, err := tx.Exec(ctx, query("restore_undo"), r.ID, tx.Now)
	if pg.Constraint(err) == "restore_one_active" {
		return active()
	}
	if err != nil {
		return fmt.Errorf("order undo: %w", err)
	}
	return nil
}

// Covered says whether the snapshot can be restored: a Precondition when it is not verified.
func (s *Store) Covered(ctx context.Context, ref string, id uuid.UUID) error {
	found, err := s.Snapshot(ctx, ref, id)
	if err != nil {
		return err
	}
	if found.State != snapshot.Verified {
		return fault.Precondition("SNAPSHOT_NOT_VERIFIED", "The snapshot is %s; only a verified one can be restored.", found.State).
			WithRemedy("Wait until its state is STATE_VERIFIED, or choose another snapshot.")
	}
	return nil
}
