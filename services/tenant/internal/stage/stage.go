// Package stage carries out backup's orders for a restore in a cell: an empty schema beside the live one, the swap of
// the two in one transaction, the way back, and the cleaning up. How far a restore came is read from which schemas exist,
// so that a repeat after a crash at any moment does what is left.
package stage

import (
	"context"

	"github.com/naksha-cloud/naksha/pkg/fault"
	"github.com/naksha-cloud/naksha/services/tenant/internal/cell"
)

// Intent is what is about to be done for a restore.
type Intent string

// The intents.
const (
	Stage Intent = "stage"
	Swap  Intent = "swap"
	Undo  Intent = "undo"
	Clear Intent = "clear"
)

// Journal is the record.
type Journal interface {
	// IntendRestore records an intent. NotFound, or FailedPrecondition when the workspace is deleted.
	IntendRestore(ctx context.Context, r cell.Restore, intent Intent) error
	// ConcludeRestore records the outcome, and tells a swap once.
	ConcludeRestore(ctx context.Context, r cell.Restore, swapped bool) error
}

// Cell acts on the database. Unavailable: it does not answer, or somebody keeps a lock.
type Cell interface {
	Presence(ctx context.Context, r cell.Restore) (cell.Presence, error)
	// StageSchema makes or adopts the staged schema, the restore's login and scratch database.
	StageSchema(ctx context.Context, r cell.Restore, verifier string) error
	// SwapSchema renames live to undo and staged to live, in one transaction under locks.
	SwapSchema(ctx context.Context, r cell.Restore) error
	// UnswapSchema renames live to staged and undo to live, likewise.
	UnswapSchema(ctx context.Context, r cell.Restore) error
	// ClearSchemas drops the staged schema, the restore's login and scratch database, and the kept schema where asked.
	ClearSchemas(ctx context.Context, r cell.Restore, undo bool) error
}

// Stager carries out orders.
type Stager struct {
	Journal Journal
	Cell    Cell
}

// Stage makes or adopts the empty schema and the restore's login. FailedPrecondition: the restore is swapped in.
func (s *Stager) Stage(ctx context.Context, r cell.Restore, verifier string) error {
	return s.act(ctx, r, Stage, func(p cell.Presence) (swapped bool, err error) {
		if p.Undo {
			return true, swappedIn()
		}
		return false, s.Cell.StageSchema(ctx, r, verifier)
	})
}

// Swap puts the staged schema in the live one's place; a repeat finds it there. FailedPrecondition: nothing is staged.
func (s *Stager) Swap(ctx context.Context, r cell.Restore) error {
	return s.act(ctx, r, Swap, func(p cell.Presence) (swapped bool, err error) {
		switch {
		case p.Swapped():
			return true, nil
		case p.Swappable():
			return true, s.Cell.SwapSchema(ctx, r)
		}
		return false, notStaged()
	})
}

// Undo puts the kept schema back; a repeat finds it there. FailedPrecondition: no data is kept.
func (s *Stager) Undo(ctx context.Context, r cell.Restore) error {
	return s.act(ctx, r, Undo, func(p cell.Presence) (swapped bool, err error) {
		switch {
		case p.Swappable():
			return false, nil
		case p.Swapped():
			return false, s.Cell.UnswapSchema(ctx, r)
		}
		return false, notKept()
	})
}

// Clear drops what the restore left. Without undo, the replaced data stays for an Undo.
func (s *Stager) Clear(ctx context.Context, r cell.Restore, undo bool) error {
	return s.act(ctx, r, Clear, func(p cell.Presence) (swapped bool, err error) {
		return p.Swapped(), s.Cell.ClearSchemas(ctx, r, undo)
	})
}

func (s *Stager) act(ctx context.Context, r cell.Restore, intent Intent, f func(cell.Presence) (bool, error)) error {
	if err := s.Journal.IntendRestore(ctx, r, intent); err != nil {
		return err
	}
	presence, err := s.Cell.Presence(ctx, r)
	if err != nil {
		return err
	}
	swapped, err := f(presence)
	if err != nil {
		return err
	}
	return s.Journal.ConcludeRestore(ctx, r, swapped)
}

func swappedIn() error {
	return fault.Precondition("RESTORE_SWAPPED", "The restored schema is the live one already.").
		WithRemedy("Undo it, or begin another restore.")
}

func notStaged() error {
	return fault.Precondition("RESTORE_NOT_STAGED", "There is no staged schema of this restore.").WithRemedy("Stage it first.")
}

func notKept() error {
	return fault.Precondition("RESTORE_NOT_KEPT", "The data that this restore replaced is not kept any more.").
		WithRemedy("Restore a snapshot of that time.")
}
