package store

import (
	"context"
	"fmt"
	"time"

	"github.com/naksha-cloud/naksha/pkg/pg"
	"github.com/naksha-cloud/naksha/services/tenant/internal/provision"
	"github.com/naksha-cloud/naksha/services/tenant/internal/slot"
	"github.com/naksha-cloud/naksha/services/tenant/internal/workspace"
)

// BeginSlot takes over a slot whose building was given up, or records the intent to build a new one. Nobody else builds
// it within lease.
func (s *Store) BeginSlot(ctx context.Context, cell string, lease time.Duration) (b slot.Slot, err error) {
	err = s.pool.InTx(ctx, func(ctx context.Context, tx *pg.Tx) error {
		rows, err := tx.Query(ctx, s.query("adopt_slot"), cell, tx.Now, tx.Now.Add(lease))
		b, err = pg.One[slot.Slot](rows, err)
		if !pg.NoRows(err) {
			return err
		}
		b = slot.Slot{Ref: workspace.NewRef(), Cell: cell, Attempt: 1}
		_, err = tx.Exec(ctx, s.query("insert_slot"), b.Ref, cell, tx.Now, tx.Now.Add(lease))
		return err
	})
	if err != nil {
		return slot.Slot{}, fmt.Errorf("begin a slot: %w", err)
	}
	return b, nil
}

// FinishSlot makes a slot ready. An error when another builder has taken it over.
func (s *Store) FinishSlot(ctx context.Context, b slot.Slot, secrets []byte) error {
	tag, err := s.pool.Exec(ctx, s.query("finish_slot"), b.Ref, b.Attempt, secrets, s.pool.Now())
	if err != nil {
		return fmt.Errorf("finish slot %s: %w", b.Ref, err)
	}
	if tag.RowsAffected() != 1 {
		return fmt.Errorf("finish slot %s: attempt %d was taken over", b.Ref, b.Attempt)
	}
	return nil
}

// AbandonSlot lets another builder take the slot over at once.
func (s *Store) AbandonSlot(ctx context.Context, b slot.Slot) error {
	return s.exec(ctx, "abandon_slot", b.Ref, b.Attempt, s.pool.Now().Add(-time.Microsecond))
}

// ReopenSlot has a ready slot built again.
func (s *Store) ReopenSlot(ctx context.Context, ref string) error {
	return s.exec(ctx, "reopen_slot", ref, s.pool.Now().Add(-time.Microsecond))
}

// CountSlots counts a cell's slots that are not claimed.
func (s *Store) CountSlots(ctx context.Context, cell string) (provision.Count, error) {
	rows, err := s.pool.Query(ctx, s.query("count_slots"), cell, s.pool.Now())
	count, err := pg.One[provision.Count](rows, err)
	if err != nil {
		return provision.Count{}, fmt.Errorf("count slots of cell %s: %w", cell, err)
	}
	return count, nil
}

// listLimit is how many rows are read at once.
const listLimit = 5000

// Slots lists every ref that ever was of a cell, with what became of it.
func (s *Store) Slots(ctx context.Context, cell string) (all []provision.Row, err error) {
	last := ""
	for {
		rows, err := s.pool.Query(ctx, s.query("list_slots"), cell, last, listLimit)
		found, err := pg.All[provision.Row](rows, err)
		if err != nil {
			return nil, fmt.Errorf("list slots of cell %s: %w", cell, err)
		}
		all = append(all, found...)
		if len(found) < listLimit {
			return all, nil
		}
		last = found[len(found)-1].Ref
	}
}
