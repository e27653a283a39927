package store

import (
	"context"
	"fmt"
	"time"

	"github.com/naksha-cloud/naksha/pkg/pg"
	"github.com/naksha-cloud/naksha/services/backup/internal/custody"
)

// Announce notes that a generation of a server's reader can be redeemed; 0 = the server exists.
func (s *Store) Announce(ctx context.Context, tx *pg.Tx, server string, generation int) error {
	if _, err := tx.Exec(ctx, query("reader_announce"), server, generation, tx.Now); err != nil {
		return fmt.Errorf("note announcement: %w", err)
	}
	return nil
}

// Reader is what is held for a server; false when nothing is.
func (s *Store) Reader(ctx context.Context, server string) (custody.Held, bool, error) {
	rows, err := s.pool.Query(ctx, query("reader_get"), server)
	held, err := pg.One[custody.Held](rows, err)
	if pg.NoRows(err) {
		return custody.Held{}, false, nil
	}
	if err != nil {
		return custody.Held{}, false, fmt.Errorf("read credential: %w", err)
	}
	return held, true, nil
}

// NextReader takes the next reader to redeem or acknowledge, and puts it off by delay in case that fails.
func (s *Store) NextReader(ctx context.Context, delay func(failures int) time.Duration) (held custody.Held, found bool, err error) {
	err = s.pool.InTx(ctx, func(ctx context.Context, tx *pg.Tx) error {
		rows, err := tx.Query(ctx, query("reader_due"), tx.Now)
		held, err = pg.One[custody.Held](rows, err)
		if pg.NoRows(err) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("look for announced credentials: %w", err)
		}
		found = true
		_, err = tx.Exec(ctx, query("reader_defer"), held.Server, tx.Now.Add(delay(held.Failures)))
		return err
	})
	return held, found && err == nil, err
}

// KeepReader stores a redeemed generation, unless a newer one is there.
func (s *Store) KeepReader(ctx context.Context, h custody.Held) error {
	if _, err := s.pool.Exec(ctx, query("reader_keep"), h.Server, h.Generation, h.Login, h.Secret, s.pool.Now()); err != nil {
		return fmt.Errorf("keep credential: %w", err)
	}
	return nil
}

// Acknowledged notes that rotation knows which generation we use.
func (s *Store) Acknowledged(ctx context.Context, server string, generation int) error {
	if _, err := s.pool.Exec(ctx, query("reader_acknowledged"), server, generation); err != nil {
		return fmt.Errorf("note acknowledgement: %w", err)
	}
	return nil
}
