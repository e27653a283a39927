package store

import (
	"context"
	"fmt"
	"time"

	"github.com/naksha-cloud/naksha/pkg/pg"
	"github.com/naksha-cloud/naksha/services/rotation/internal/rotate"
	"github.com/naksha-cloud/naksha/services/rotation/internal/rotation"
)

// Claim leases what is due and in nobody's hands.
func (s *Store) Claim(ctx context.Context, owner string, limit int, lease time.Duration) (leases []*rotate.Lease, err error) {
	err = s.pool.InTx(ctx, func(ctx context.Context, tx *pg.Tx) error {
		leases = nil
		rows, err := tx.Query(ctx, query("rotation_claim"), tx.Now, owner, tx.Now.Add(lease), limit)
		found, err := pg.All[rotationRow](rows, err)
		for _, row := range found {
			leases = append(leases, &rotate.Lease{Rotation: row.rotation(), Epoch: row.Epoch, For: lease})
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("claim rotations: %w", err)
	}
	return leases, nil
}

// Intend puts an act on record before it is done.
func (s *Store) Intend(ctx context.Context, l *rotate.Lease, d rotation.Decision) error {
	return s.pool.InTx(ctx, func(ctx context.Context, tx *pg.Tx) error {
		if err := s.extend(ctx, tx, l, optional(tx.Now.Add(l.For))); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, query("journal_intend"), l.Rotation.ID, string(d.Action), string(d.Reason), l.Epoch, tx.Now)
		if err != nil {
			return fmt.Errorf("record intent to %s: %w", d.Action, err)
		}
		return nil
	})
}

// Record writes an outcome with all that follows: state, journal, generations, facts.
func (s *Store) Record(ctx context.Context, l *rotate.Lease, o rotate.Outcome) error {
	var saved rotation.Rotation
	err := s.pool.InTx(ctx, func(ctx context.Context, tx *pg.Tx) (err error) {
		t, n := o.Transition, l.Rotation.Credential
		if t.Activate { // before the rotation: in the order in which acknowledgements lock
			if _, err := tx.Exec(ctx, query("credential_activate"), string(n), l.Rotation.New, tx.Now); err != nil {
				return fmt.Errorf("activate generation %d of %s: %w", l.Rotation.New, n, err)
			}
		}
		if saved, err = s.save(ctx, tx, l, t.Next, tx.Now.Add(l.For)); err != nil {
			return err
		}
		if !o.Secret.Zero() {
			if err := s.addGeneration(ctx, tx, n, l.Rotation.New, o.Secret); err != nil {
				return err
			}
		}
		if err := s.changeGenerations(ctx, tx, n, t.Generations); err != nil {
			return err
		}
		if err := s.write(ctx, tx, l, o); err != nil {
			return err
		}
		return s.tell(ctx, tx, t.Facts)
	})
	if err == nil {
		l.Rotation = saved
	}
	return err
}

// write closes the open act with the outcome, or adds one that needed no intent.
func (s *Store) write(ctx context.Context, tx *pg.Tx, l *rotate.Lease, o rotate.Outcome) error {
	if o.Failure != nil {
		if _, err := tx.Exec(ctx, query("journal_failure"), l.Rotation.ID, o.Failure.Error()); err != nil {
			return fmt.Errorf("record failure: %w", err)
		}
	}
	e := o.Transition.Entry
	if e.State == "" {
		return nil
	}
	tag, err := tx.Exec(ctx, query("journal_close"), l.Rotation.ID, e.At, string(e.State), e.Evidence)
	if err == nil && tag.RowsAffected() == 0 {
		_, err = tx.Exec(ctx, query("journal_add"), l.Rotation.ID, string(o.Decision.Action), string(o.Decision.Reason),
			l.Epoch, e.At, string(e.State), e.Evidence)
	}
	if err != nil {
		return fmt.Errorf("record outcome: %w", err)
	}
	return nil
}

func (s *Store) tell(ctx context.Context, tx *pg.Tx, facts []any) error {
	for _, fact := range facts {
		if err := s.emit(ctx, tx, fact); err != nil {
			return err
		}
	}
	return nil
}

// Park writes r and ends the lease.
func (s *Store) Park(ctx context.Context, l *rotate.Lease, r rotation.Rotation) error {
	return s.pool.InTx(ctx, func(ctx context.Context, tx *pg.Tx) error {
		_, err := s.save(ctx, tx, l, r, time.Time{})
		return err
	})
}

// Release ends the lease.
func (s *Store) Release(ctx context.Context, l *rotate.Lease) error {
	return s.pool.InTx(ctx, func(ctx context.Context, tx *pg.Tx) error { return s.extend(ctx, tx, l, nil) })
}

// Survey looks over everything that is under way.
func (s *Store) Survey(ctx context.Context) (rotate.Survey, error) {
	var v rotate.Survey
	var due, oldest *time.Time
	if err := s.pool.QueryRow(ctx, query("rotation_survey")).Scan(&due, &v.Active, &v.Blocked, &oldest); err != nil {
		return v, fmt.Errorf("survey rotations: %w", err)
	}
	v.NextDue, v.OldestAt = known(due), known(oldest)
	return v, nil
}

func (s *Store) extend(ctx context.Context, tx *pg.Tx, l *rotate.Lease, until *time.Time) error {
	tag, err := tx.Exec(ctx, query("rotation_extend"), l.Rotation.ID, l.Epoch, until)
	if err != nil {
		return fmt.Errorf("extend lease: %w", err)
	}
	if tag.RowsAffected() == 0 {
		return rotate.ErrFenced
	}
	return nil
}

// save writes r under l's epoch and returns it with the newest inputs.
func (s *Store) save(ctx context.Context, tx *pg.Tx, l *rotate.Lease, r rotation.Rotation, until time.Time) (rotation.Rotation, error) {
	if r.DueAt.IsZero() {
		r.DueAt = tx.Now
	}
	rows, err := tx.Query(ctx, query("rotation_save"), r.ID, l.Epoch, string(r.State), string(r.Resume),
		string(r.Blocked.Reason), r.Blocked.Message, string(r.AbortReason.Reason), r.AbortReason.Message,
		optional(r.PromotedAt), optional(r.OldSeenAt), r.Refusals, r.Failures, optional(r.RetryAt), r.DueAt,
		optional(r.EndedAt), optional(until), l.Rotation.Inputs.Count, tx.Now)
	row, err := pg.One[rotationRow](rows, err)
	switch {
	case pg.NoRows(err):
		return rotation.Rotation{}, rotate.ErrFenced
	case err != nil:
		return rotation.Rotation{}, fmt.Errorf("save rotation %s: %w", r.ID, err)
	}
	return row.rotation(), nil
}

type entryRow struct {
	Rotation string
	State    string
	ClosedAt time.Time `db:"closed_at"`
	Evidence string
}

// entries reads the closed steps of rotations, by id.
func (s *Store) entries(ctx context.Context, ids []string) (map[string][]rotation.Entry, error) {
	rows, err := s.pool.Query(ctx, query("journal_list"), ids)
	found, err := pg.All[entryRow](rows, err)
	if err != nil {
		return nil, fmt.Errorf("read journal: %w", err)
	}
	entries := map[string][]rotation.Entry{}
	for _, e := range found {
		entries[e.Rotation] = append(entries[e.Rotation],
			rotation.Entry{State: rotation.State(e.State), At: e.ClosedAt.UTC(), Evidence: e.Evidence})
	}
	return entries, nil
}
