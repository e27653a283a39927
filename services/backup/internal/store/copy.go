package store

import (
	"context"
	"fmt"
	"time"

	"github.com/naksha-cloud/naksha/pkg/pg"
	"github.com/naksha-cloud/naksha/services/backup/internal/take"
)

// NextMissing takes the next copy to make up for, and puts it off by delay in case that fails; false when there is none.
func (s *Store) NextMissing(ctx context.Context, delay func(failures int) time.Duration) (m take.Missing, found bool, err error) {
	err = s.pool.InTx(ctx, func(ctx context.Context, tx *pg.Tx) error {
		rows, err := tx.Query(ctx, query("copy_missing"), tx.Now)
		m, err = pg.One[take.Missing](rows, err)
		if pg.NoRows(err) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("look for missing copies: %w", err)
		}
		found = true
		_, err = tx.Exec(ctx, query("copy_defer"), m.SnapshotID, m.Region, tx.Now.Add(delay(m.Failures)))
		return err
	})
	return m, found && err == nil, err
}

// CopyVerified notes that a region has the snapshot after all.
func (s *Store) CopyVerified(ctx context.Context, m take.Missing) error {
	_, err := s.pool.Exec(ctx, query("copy_verified"), m.SnapshotID, m.Region, s.pool.Now())
	if err != nil {
		return fmt.Errorf("note copy: %w", err)
	}
	return nil
}

// CopyFailed notes why a region still lacks the snapshot.
func (s *Store) CopyFailed(ctx context.Context, m take.Missing, reason string) error {
	_, err := s.pool.Exec(ctx, query("copy_error"), m.SnapshotID, m.Region, reason)
	if err != nil {
		return fmt.Errorf("note copy: %w", err)
	}
	return nil
}
