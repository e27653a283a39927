package store

import (
	"context"
	"fmt"
	"time"

	"github.com/naksha-cloud/naksha/pkg/pg"
	"github.com/naksha-cloud/naksha/services/backup/internal/restore"
	"github.com/naksha-cloud/naksha/services/backup/internal/snapshot"
	"github.com/naksha-cloud/naksha/services/backup/internal/stage"
	"github.com/naksha-cloud/naksha/services/backup/internal/work"
)

// RestoreQueue is the restores that wait for a worker. It is a work.Queue.
type RestoreQueue struct{ *Store }

// Claim takes the next due restore, unless its workspace is being copied.
func (q RestoreQueue) Claim(ctx context.Context, lease time.Duration) (work.Job, bool, error) {
	return q.claim(ctx, "restore", lease)
}

// Extend prolongs the lease.
func (q RestoreQueue) Extend(ctx context.Context, j work.Job, lease time.Duration) error {
	return q.change(ctx, "restore_extend", j.ID, j.Token, q.pool.Now().Add(lease))
}

// Release gives the job back and shows why, until it is done after all.
func (q RestoreQueue) Release(ctx context.Context, j work.Job, delay time.Duration, cause error) error {
	return q.release(ctx, "restore_release", j, delay, cause)
}

// GiveUp fails a restore that has not begun to swap, and says so.
func (q RestoreQueue) GiveUp(ctx context.Context, j work.Job, cause error) error {
	problem := snapshot.ProblemOf(cause)
	return q.pool.InTx(ctx, func(ctx context.Context, tx *pg.Tx) error {
		if err := mine(ctx, tx, "restore_fail", j.ID, j.Token, tx.Now, problem); err != nil {
			return err
		}
		return q.emit(ctx, tx, restore.GivenUp{Ref: j.Ref, ID: j.ID, Problem: problem})
	})
}

// RestoreOrder is what was asked for and how far it is.
func (s *Store) RestoreOrder(ctx context.Context, j work.Job) (stage.Order, error) {
	rows, err := s.pool.Query(ctx, query("restore_order"), j.ID)
	order, err := pg.One[stage.Order](rows, err)
	if err != nil {
		return stage.Order{}, fmt.Errorf("read restore: %w", err)
	}
	return order, nil
}

// RestoreProgress notes how far a restore is, in percent, and where its bytes come from.
func (s *Store) RestoreProgress(ctx context.Context, j work.Job, percent int, region string) error {
	return s.change(ctx, "restore_progress", j.ID, j.Token, min(percent, 99), region)
}

// Stage begins to stage, or begins again.
func (s *Store) Stage(ctx context.Context, j work.Job) error {
	return s.change(ctx, "restore_stage", j.ID, j.Token)
}

// Compare notes that everything is loaded.
func (s *Store) Compare(ctx context.Context, j work.Job) error {
	return s.change(ctx, "restore_compare", j.ID, j.Token)
}

// Swap is the point of no return: from here on the restore goes forward. In each region, what the customer writes from now
// on is left alone.
func (s *Store) Swap(ctx context.Context, j work.Job, tables []snapshot.Table, regions []string) error {
	return s.pool.InTx(ctx, func(ctx context.Context, tx *pg.Tx) error {
		if err := mine(ctx, tx, "restore_swap", j.ID, j.Token, orEmpty(tables)); err != nil {
			return err
		}
		for _, region := range regions {
			if _, err := tx.Exec(ctx, query("region_put"), j.ID, region, tx.Now, false, tx.Now); err != nil {
				return fmt.Errorf("note region: %w", err)
			}
		}
		return nil
	})
}

// Swapped notes which schema keeps the replaced data.
func (s *Store) Swapped(ctx context.Context, j work.Job, undoSchema string) error {
	return s.change(ctx, "restore_swapped", j.ID, j.Token, undoSchema)
}

// FinishRestore completes a restore and says so.
func (s *Store) FinishRestore(ctx context.Context, j work.Job, keepUndo time.Duration) error {
	return s.pool.InTx(ctx, func(ctx context.Context, tx *pg.Tx) error {
		var objects int64
		if err := tx.QueryRow(ctx, query("object_count"), j.ID).Scan(&objects); err != nil {
			return fmt.Errorf("count objects: %w", err)
		}
		fact := restore.Finished{Ref: j.Ref, ID: j.ID}
		err := tx.QueryRow(ctx, query("restore_finish"), j.ID, j.Token, tx.Now, objects, tx.Now.Add(keepUndo)).Scan(&fact.Snapshot)
		if pg.NoRows(err) {
			return work.ErrLost
		}
		if err != nil {
			return fmt.Errorf("finish restore: %w", err)
		}
		return s.emit(ctx, tx, fact)
	})
}

// FinishUndo notes that the replaced data is live again, and says so.
func (s *Store) FinishUndo(ctx context.Context, j work.Job) error {
	return s.pool.InTx(ctx, func(ctx context.Context, tx *pg.Tx) error {
		if err := mine(ctx, tx, "restore_undone", j.ID, j.Token, tx.Now); err != nil {
			return err
		}
		return s.emit(ctx, tx, restore.Reverted{Ref: j.Ref, ID: j.ID})
	})
}
