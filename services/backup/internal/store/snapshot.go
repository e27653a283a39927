package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/naksha-cloud/naksha/pkg/fault"
	"github.com/naksha-cloud/naksha/pkg/pg"
	"github.com/naksha-cloud/naksha/services/backup/internal/request"
	"github.com/naksha-cloud/naksha/services/backup/internal/snapshot"
)

// CreateSnapshot accepts a snapshot, or returns the one that the same order made before.
func (s *Store) CreateSnapshot(ctx context.Context, o request.Key) (uuid.UUID, error) {
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
			return s.addSnapshot(ctx, tx, o.Ref)
		})
		return err
	})
	return id, err
}

func (s *Store) addSnapshot(ctx context.Context, tx *pg.Tx, ref string) (uuid.UUID, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return uuid.Nil, fmt.Errorf("make id: %w", err)
	}
	if _, err := tx.Exec(ctx, query("snapshot_add"), id, ref, tx.Now); err != nil {
		return uuid.Nil, fmt.Errorf("add snapshot: %w", err)
	}
	return id, s.emit(ctx, tx, snapshot.Requested{Ref: ref, ID: id})
}

// snapshotRow is a snapshot without its copies.
type snapshotRow struct {
	ID          uuid.UUID
	Ref         string
	State       snapshot.State
	Progress    int
	Problem     *snapshot.Problem
	CreatedAt   time.Time
	TakenAt     *time.Time
	EndedAt     *time.Time
	Tables      []snapshot.Table
	Rows        int64
	RawBytes    int64
	StoredBytes int64
	Objects     int64
	ObjectBytes int64
}

// Snapshot returns one snapshot.
func (s *Store) Snapshot(ctx context.Context, ref string, id uuid.UUID) (snapshot.Snapshot, error) {
	rows, err := s.pool.Query(ctx, query("snapshot_get"), ref, id)
	row, err := pg.One[snapshotRow](rows, err)
	if pg.NoRows(err) {
		return snapshot.Snapshot{}, fault.NotFound("SNAPSHOT_NOT_FOUND", "There is no such snapshot in this workspace.").
			WithRemedy("List the workspace's snapshots.")
	}
	if err != nil {
		return snapshot.Snapshot{}, fmt.Errorf("read snapshot: %w", err)
	}
	found, err := s.withCopies(ctx, []snapshotRow{row})
	if err != nil {
		return snapshot.Snapshot{}, err
	}
	return found[0], nil
}

// Snapshots returns a page, newest first, of those before a position.
func (s *Store) Snapshots(ctx context.Context, ref string, p snapshot.Position, limit int) ([]snapshot.Snapshot, error) {
	rows, err := s.pool.Query(ctx, query("snapshot_list"), ref, p.At, p.ID, limit)
	found, err := pg.All[snapshotRow](rows, err)
	if err != nil {
		return nil, fmt.Errorf("list snapshots: %w", err)
	}
	return s.withCopies(ctx, found)
}

type copyRow struct {
	SnapshotID uuid.UUID
	Region     string
	VerifiedAt *time.Time
	Error      string
}

func (s *Store) withCopies(ctx context.Context, found []snapshotRow) ([]snapshot.Snapshot, error) {
	ids := make([]uuid.UUID, len(found))
	for i, f := range found {
		ids[i] = f.ID
	}
	rows, err := s.pool.Query(ctx, query("snapshot_copies"), ids)
	copies, err := pg.All[copyRow](rows, err)
	if err != nil {
		return nil, fmt.Errorf("read copies: %w", err)
	}
	byID := map[uuid.UUID][]snapshot.Copy{}
	for _, c := range copies {
		byID[c.SnapshotID] = append(byID[c.SnapshotID], snapshot.Copy{Region: c.Region, VerifiedAt: c.VerifiedAt, Error: c.Error})
	}
	result := make([]snapshot.Snapshot, len(found))
	for i, f := range found {
		result[i] = snapshot.Snapshot{
			ID: f.ID, Ref: f.Ref, State: f.State, Progress: f.Progress, Problem: f.Problem, CreatedAt: f.CreatedAt,
			TakenAt: f.TakenAt, EndedAt: f.EndedAt, Tables: f.Tables, Rows: f.Rows, RawBytes: f.RawBytes,
			StoredBytes: f.StoredBytes, Objects: f.Objects, ObjectBytes: f.ObjectBytes, Copies: byID[f.ID],
		}
	}
	return result, nil
}

// Newest is the newest verified snapshot of a workspace; false when there is none.
func (s *Store) Newest(ctx context.Context, ref string) (id uuid.UUID, found bool, err error) {
	err = s.pool.QueryRow(ctx, query("snapshot_newest"), ref).Scan(&id)
	if pg.NoRows(err) {
		return uuid.Nil, false, nil
	}
	return id, err == nil, errors.Join(err)
}
