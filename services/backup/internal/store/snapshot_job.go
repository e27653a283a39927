package store

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"google.golang.org/grpc/codes"

	"github.com/naksha-cloud/naksha/pkg/fault"
	"github.com/naksha-cloud/naksha/pkg/pg"
	"github.com/naksha-cloud/naksha/services/backup/internal/snapshot"
	"github.com/naksha-cloud/naksha/services/backup/internal/work"
)

// Snapshots that wait for a worker. It is a work.Queue.
type SnapshotQueue struct{ *Store }

type claimed struct {
	ID        uuid.UUID
	Ref       string
	Token     int
	Failures  int
	CreatedAt time.Time
	Committed bool `db:"committed"`
}

// Claim takes the next due snapshot, unless its workspace is being restored.
func (q SnapshotQueue) Claim(ctx context.Context, lease time.Duration) (work.Job, bool, error) {
	return q.claim(ctx, "snapshot", lease)
}

// claim takes the next due row of a kind: candidate, then its workspace's lock, then the row itself if it is still free.
func (s *Store) claim(ctx context.Context, kind string, lease time.Duration) (job work.Job, found bool, err error) {
	err = s.pool.InTx(ctx, func(ctx context.Context, tx *pg.Tx) error {
		var id uuid.UUID
		var ref string
		err := tx.QueryRow(ctx, query(kind+"_candidate"), tx.Now).Scan(&id, &ref)
		if pg.NoRows(err) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("look for a %s: %w", kind, err)
		}
		if _, err := lockWorkspace(ctx, tx, ref); err != nil {
			return err
		}
		rows, err := tx.Query(ctx, query(kind+"_claim"), id, tx.Now, tx.Now.Add(lease))
		c, err := pg.One[claimed](rows, err)
		if pg.NoRows(err) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("claim %s: %w", kind, err)
		}
		job, found = work.Job(c), true
		return nil
	})
	return job, found && err == nil, err
}

// Extend prolongs the lease.
func (q SnapshotQueue) Extend(ctx context.Context, j work.Job, lease time.Duration) error {
	return q.change(ctx, "snapshot_extend", j.ID, j.Token, q.pool.Now().Add(lease))
}

// Release gives the job back and shows why, until it is done after all.
func (q SnapshotQueue) Release(ctx context.Context, j work.Job, delay time.Duration, cause error) error {
	return q.release(ctx, "snapshot_release", j, delay, cause)
}

func (s *Store) release(ctx context.Context, name string, j work.Job, delay time.Duration, cause error) error {
	if cause == nil {
		return s.change(ctx, name, j.ID, j.Token, s.pool.Now().Add(delay), 0, nil)
	}
	return s.change(ctx, name, j.ID, j.Token, s.pool.Now().Add(delay), 1, snapshot.ProblemOf(cause))
}

// soon is when a snapshot that failed because something was away is followed by another one.
const soon = time.Hour

// GiveUp fails the snapshot and says so. When something was away, the workspace does not go without until tomorrow.
func (q SnapshotQueue) GiveUp(ctx context.Context, j work.Job, cause error) error {
	problem := snapshot.ProblemOf(cause)
	return q.pool.InTx(ctx, func(ctx context.Context, tx *pg.Tx) error {
		if err := mine(ctx, tx, "snapshot_fail", j.ID, j.Token, tx.Now, problem); err != nil {
			return err
		}
		if fault.CodeOf(cause) == codes.Unavailable {
			if _, err := tx.Exec(ctx, query("workspace_soon"), j.Ref, tx.Now.Add(soon)); err != nil {
				return fmt.Errorf("set next snapshot: %w", err)
			}
		}
		return q.emit(ctx, tx, snapshot.GivenUp{Ref: j.Ref, ID: j.ID, Problem: problem})
	})
}

// SnapshotProgress notes how far a snapshot is, in percent.
func (s *Store) SnapshotProgress(ctx context.Context, j work.Job, percent int) error {
	return s.change(ctx, "snapshot_progress", j.ID, j.Token, min(percent, 99))
}

// FinishSnapshot notes a verified snapshot and its copies, and says so. Missing copies are tried again after retry.
func (s *Store) FinishSnapshot(ctx context.Context, j work.Job, t snapshot.Taken, copies []snapshot.Copy, retry time.Duration) error {
	return s.pool.InTx(ctx, func(ctx context.Context, tx *pg.Tx) error {
		err := mine(ctx, tx, "snapshot_finish", j.ID, j.Token, tx.Now, t.At, orEmpty(t.Tables), t.Rows, t.RawBytes, t.StoredBytes,
			t.Objects, t.ObjectBytes)
		if err != nil {
			return err
		}
		for _, c := range copies {
			if _, err := tx.Exec(ctx, query("copy_put"), j.ID, c.Region, c.VerifiedAt, c.Error, tx.Now.Add(retry)); err != nil {
				return fmt.Errorf("note copy: %w", err)
			}
		}
		return s.emit(ctx, tx, snapshot.Completed{
			Ref: j.Ref, ID: j.ID, TakenAt: t.At, StoredBytes: t.StoredBytes, Rows: t.Rows, Objects: t.Objects,
		})
	})
}

// orEmpty keeps an empty list from becoming NULL.
func orEmpty(tables []snapshot.Table) []snapshot.Table {
	if tables == nil {
		return []snapshot.Table{}
	}
	return tables
}
