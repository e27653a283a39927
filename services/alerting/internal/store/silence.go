package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/naksha-cloud/naksha/pkg/fault"
	"github.com/naksha-cloud/naksha/pkg/pg"
	"github.com/naksha-cloud/naksha/services/alerting/internal/silence"
)

// silenceRow is a row of silence.
type silenceRow struct {
	ID        uuid.UUID
	Matchers  []byte
	StartsAt  time.Time
	EndsAt    time.Time
	CreatedAt time.Time
	UpdatedAt time.Time
	CreatedBy string
	Comment   string
}

func (r silenceRow) silence() (silence.Silence, error) {
	s := silence.Silence{
		ID: r.ID.String(), StartsAt: r.StartsAt.UTC(), EndsAt: r.EndsAt.UTC(), CreatedAt: r.CreatedAt.UTC(),
		UpdatedAt: r.UpdatedAt.UTC(), CreatedBy: r.CreatedBy, Comment: r.Comment,
	}
	if err := json.Unmarshal(r.Matchers, &s.Matchers); err != nil {
		return silence.Silence{}, fmt.Errorf("read matchers of silence %s: %w", s.ID, err)
	}
	return s, nil
}

// HoldSilences keeps silences as they are until tx ends, and begins tx's time anew: while it waited, a silence may have
// ended, and with the old time it would still seem to hold. It is taken before every other lock of a transaction.
func (s *Store) HoldSilences(ctx context.Context, tx *pg.Tx) error {
	if _, err := tx.Exec(ctx, query("hold_silences")); err != nil {
		return fmt.Errorf("hold silences: %w", err)
	}
	tx.Now = s.Now()
	return nil
}

// ChangeSilences waits until nobody looks at silences, keeps it so until tx ends, and begins tx's time anew. It is taken
// before every other lock.
func (s *Store) ChangeSilences(ctx context.Context, tx *pg.Tx) error {
	if _, err := tx.Exec(ctx, query("change_silences")); err != nil {
		return fmt.Errorf("change silences: %w", err)
	}
	tx.Now = s.Now()
	return nil
}

// AddSilence inserts a silence under a new id, and returns it.
func (s *Store) AddSilence(ctx context.Context, tx *pg.Tx, made silence.Silence) (silence.Silence, error) {
	id, err := newID()
	if err != nil {
		return silence.Silence{}, err
	}
	matchers, err := json.Marshal(made.Matchers)
	if err != nil {
		return silence.Silence{}, fmt.Errorf("write matchers: %w", err)
	}
	made.ID, made.CreatedAt, made.UpdatedAt = id, tx.Now, tx.Now
	_, err = tx.Exec(ctx, query("insert_silence"), id, matchers, made.StartsAt, made.EndsAt, tx.Now, tx.Now, made.CreatedBy,
		made.Comment, null(made.NextChange(tx.Now)))
	if err != nil {
		return silence.Silence{}, fmt.Errorf("insert silence: %w", err)
	}
	return made, nil
}

// SaveSilence keeps a silence's times, author and comment; its matchers never change.
func (s *Store) SaveSilence(ctx context.Context, tx *pg.Tx, changed silence.Silence) error {
	_, err := tx.Exec(ctx, query("save_silence"), changed.ID, changed.StartsAt, changed.EndsAt, changed.UpdatedAt,
		changed.CreatedBy, changed.Comment, null(changed.NextChange(tx.Now)))
	if err != nil {
		return fmt.Errorf("save silence %s: %w", changed.ID, err)
	}
	return nil
}

// LockSilence locks a silence; SILENCE_NOT_FOUND when there is none.
func (s *Store) LockSilence(ctx context.Context, tx *pg.Tx, id string) (silence.Silence, error) {
	rows, err := tx.Query(ctx, query("lock_silence"), id)
	return oneSilence(pg.One[silenceRow](rows, err))
}

// Silence reads a silence; SILENCE_NOT_FOUND when there is none.
func (s *Store) Silence(ctx context.Context, id string) (silence.Silence, error) {
	rows, err := s.pool.Query(ctx, query("get_silence"), id)
	return oneSilence(pg.One[silenceRow](rows, err))
}

func oneSilence(row silenceRow, err error) (silence.Silence, error) {
	if pg.NoRows(err) || pg.SQLState(err) == invalidText {
		return silence.Silence{}, fault.NotFound("SILENCE_NOT_FOUND", "There is no such silence.").
			WithRemedy("List the silences to see their ids.")
	}
	if err != nil {
		return silence.Silence{}, fmt.Errorf("read silence: %w", err)
	}
	return row.silence()
}

// ClaimSilence locks the silence whose beginning or end is due the longest; false = none.
func (s *Store) ClaimSilence(ctx context.Context, tx *pg.Tx) (silence.Silence, bool, error) {
	rows, err := tx.Query(ctx, query("claim_silence"), tx.Now)
	row, err := pg.One[silenceRow](rows, err)
	if pg.NoRows(err) {
		return silence.Silence{}, false, nil
	}
	if err != nil {
		return silence.Silence{}, false, fmt.Errorf("claim silence: %w", err)
	}
	claimed, err := row.silence()
	return claimed, true, err
}

// ActiveSilences are the silences that hold at the transaction's time.
func (s *Store) ActiveSilences(ctx context.Context, tx *pg.Tx) ([]silence.Silence, error) {
	rows, err := tx.Query(ctx, query("active_silences"), tx.Now)
	return silences(pg.All[silenceRow](rows, err))
}

// Silences lists silences that end after a moment, newest first, at most limit.
func (s *Store) Silences(ctx context.Context, after time.Time, limit int) ([]silence.Silence, error) {
	rows, err := s.pool.Query(ctx, query("list_silences"), after, limit)
	return silences(pg.All[silenceRow](rows, err))
}

func silences(rows []silenceRow, err error) ([]silence.Silence, error) {
	if err != nil {
		return nil, fmt.Errorf("list silences: %w", err)
	}
	all := make([]silence.Silence, 0, len(rows))
	for _, row := range rows {
		one, err := row.silence()
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, nil
}
