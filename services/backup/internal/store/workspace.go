package store

import (
	"context"
	"fmt"
	"time"

	"github.com/naksha-cloud/naksha/pkg/fault"
	"github.com/naksha-cloud/naksha/pkg/pg"
	"github.com/naksha-cloud/naksha/services/backup/internal/schedule"
)

// AddWorkspace notes a workspace, its server's reader, and when its first snapshot is due. A repeat changes nothing.
func (s *Store) AddWorkspace(ctx context.Context, tx *pg.Tx, ref, server string, createdAt time.Time) error {
	if _, err := tx.Exec(ctx, query("workspace_add"), ref, server, createdAt, schedule.Next(ref, tx.Now)); err != nil {
		return fmt.Errorf("note workspace: %w", err)
	}
	return nil
}

// DeleteWorkspace ends the workspace's schedule.
func (s *Store) DeleteWorkspace(ctx context.Context, tx *pg.Tx, ref string, at time.Time) error {
	if _, err := tx.Exec(ctx, query("workspace_delete"), ref, at); err != nil {
		return fmt.Errorf("end workspace: %w", err)
	}
	return nil
}

// Learn notes a workspace whose fact has not arrived yet.
func (s *Store) Learn(ctx context.Context, ref, server string) error {
	return s.pool.InTx(ctx, func(ctx context.Context, tx *pg.Tx) error {
		return s.AddWorkspace(ctx, tx, ref, server, tx.Now)
	})
}

// Knows says whether the workspace is noted. A deleted one is a Precondition.
func (s *Store) Knows(ctx context.Context, ref string) (bool, error) {
	var server string
	var deleted *time.Time
	err := s.pool.QueryRow(ctx, query("workspace_get"), ref).Scan(&server, &deleted)
	switch {
	case pg.NoRows(err):
		return false, nil
	case err != nil:
		return false, fmt.Errorf("look for workspace: %w", err)
	case deleted != nil:
		return true, gone()
	}
	return true, nil
}

func gone() error {
	return fault.Precondition("WORKSPACE_DELETED", "The workspace is deleted.").
		WithRemedy("Ask the operators; until it is erased, its backups are kept.")
}

// lockWorkspace makes claims and requests for one workspace take turns.
func lockWorkspace(ctx context.Context, tx *pg.Tx, ref string) (deleted bool, err error) {
	var at *time.Time
	if err := tx.QueryRow(ctx, query("workspace_lock"), ref).Scan(&at); err != nil {
		return false, fmt.Errorf("lock workspace: %w", err)
	}
	return at != nil, nil
}

// Due starts the snapshot of one workspace whose time has come; false when there is none.
func (s *Store) Due(ctx context.Context) (started bool, err error) {
	err = s.pool.InTx(ctx, func(ctx context.Context, tx *pg.Tx) error {
		var ref string
		err := tx.QueryRow(ctx, query("workspace_due"), tx.Now).Scan(&ref)
		if pg.NoRows(err) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("look for due workspaces: %w", err)
		}
		if _, err := tx.Exec(ctx, query("workspace_next"), ref, schedule.Next(ref, tx.Now)); err != nil {
			return fmt.Errorf("set next snapshot: %w", err)
		}
		started = true
		_, err = s.addSnapshot(ctx, tx, ref)
		return err
	})
	return started && err == nil, err
}
