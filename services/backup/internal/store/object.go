package store

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/naksha-cloud/naksha/pkg/pg"
	"github.com/naksha-cloud/naksha/services/backup/internal/putback"
	"github.com/naksha-cloud/naksha/services/backup/internal/stage"
)

// Since is the moment after which a customer's changes in a region are left alone.
func (s *Store) Since(ctx context.Context, restore uuid.UUID, region string) (since time.Time, err error) {
	if err = s.pool.QueryRow(ctx, query("region_since"), restore, region).Scan(&since); err != nil {
		return since, fmt.Errorf("read region of restore: %w", err)
	}
	return since, nil
}

// RegionDone notes that a region's bucket shows the snapshot.
func (s *Store) RegionDone(ctx context.Context, restore uuid.UUID, region string) error {
	now := s.pool.Now()
	if _, err := s.pool.Exec(ctx, query("region_put"), restore, region, now, true, now); err != nil {
		return fmt.Errorf("note region: %w", err)
	}
	return nil
}

// NextAway takes the next region that was away during a restore, and puts it off by delay in case it still is.
func (s *Store) NextAway(ctx context.Context, delay func(failures int) time.Duration) (a stage.Away, found bool, err error) {
	err = s.pool.InTx(ctx, func(ctx context.Context, tx *pg.Tx) error {
		rows, err := tx.Query(ctx, query("region_away"), tx.Now)
		a, err = pg.One[stage.Away](rows, err)
		if pg.NoRows(err) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("look for regions that were away: %w", err)
		}
		found = true
		_, err = tx.Exec(ctx, query("region_defer"), a.ID, a.Region, tx.Now.Add(delay(a.Failures)))
		return err
	})
	return a, found && err == nil, err
}

// Replace notes what is current before a key is touched; the first note of a key stands.
func (s *Store) Replace(ctx context.Context, restore uuid.UUID, r putback.Replaced) error {
	if _, err := s.pool.Exec(ctx, query("object_replace"), restore, r.Region, r.Key, r.Version); err != nil {
		return fmt.Errorf("note replaced object: %w", err)
	}
	return nil
}

// ReplacedIn lists what a restore replaced in a region.
func (s *Store) ReplacedIn(ctx context.Context, restore uuid.UUID, region string) ([]putback.Replaced, error) {
	rows, err := s.pool.Query(ctx, query("object_replaced"), restore, region)
	found, err := pg.All[putback.Replaced](rows, err)
	if err != nil {
		return nil, fmt.Errorf("list replaced objects: %w", err)
	}
	return found, nil
}

// NextLeftover takes the next restore with something to clear, and puts it off by delay in case that fails.
func (s *Store) NextLeftover(ctx context.Context, delay func(failures int) time.Duration) (l stage.Leftover, found bool, err error) {
	err = s.pool.InTx(ctx, func(ctx context.Context, tx *pg.Tx) error {
		rows, err := tx.Query(ctx, query("restore_leftover"), tx.Now)
		l, err = pg.One[stage.Leftover](rows, err)
		if pg.NoRows(err) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("look for leftovers: %w", err)
		}
		found = true
		_, err = tx.Exec(ctx, query("restore_defer"), l.ID, tx.Now.Add(delay(l.Failures)))
		return err
	})
	return l, found && err == nil, err
}

// Cleared notes that a restore's staged schema is gone, and its kept one where asked.
func (s *Store) Cleared(ctx context.Context, restore uuid.UUID, undo bool) error {
	if _, err := s.pool.Exec(ctx, query("restore_cleared"), restore, undo); err != nil {
		return fmt.Errorf("note clearing: %w", err)
	}
	return nil
}
