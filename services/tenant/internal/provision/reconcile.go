package provision

import (
	"context"
	"fmt"
	"log/slog"
	"slices"

	"github.com/naksha-cloud/naksha/services/tenant/internal/slot"
	"github.com/naksha-cloud/naksha/services/tenant/internal/workspace"
)

// Row is what the record says of one ref.
type Row struct {
	Ref       string
	State     string          // of the slot
	Workspace workspace.State // empty: nobody's
}

// Inventory is what exists in a cell or a region, by ref.
type Inventory struct {
	Whole   map[string]bool // refs of which every part is there
	Any     map[string]bool // refs of which some part is there
	Entered map[string]bool // refs that somebody could log in to, or is in
}

// Finding is a difference between the record and the world.
type Finding struct {
	Ref   string
	Where string // "cell" or a region's name
	What  string // reason, a metric label: missing_rebuilt, missing, unknown, login_of_deleted
}

// The differences.
const (
	Rebuilt      = "missing_rebuilt"  // a ready slot lacked a part and is built again
	Missing      = "missing"          // a customer's workspace lacks a part: for people
	Unknown      = "unknown"          // no row knows it: for people, never removed
	LoginAlive   = "login_of_deleted" // disabled again
	placeOfCells = "cell"
)

// Record is the record as the Reconciler needs it.
type Record interface {
	Slots(ctx context.Context, cell string) ([]Row, error)
	ReopenSlot(ctx context.Context, ref string) error
	ReopenRevocation(ctx context.Context, ref string) error
}

// Place is a cell or a region that can list what it holds.
type Place interface {
	Inventory(ctx context.Context) (Inventory, error)
}

// Reconciler compares both sides.
type Reconciler struct {
	Record Record
	Places map[string]Place // the cell, and the regions by name
	CellID string
	Log    *slog.Logger
}

// CellPlace is the key of the cell in Places.
const CellPlace = placeOfCells

// Reconcile compares, repairs what is nobody's, and returns every difference. The record is read before and after the
// places: what appears in between is no difference.
func (r *Reconciler) Reconcile(ctx context.Context) ([]Finding, error) {
	before, err := r.Record.Slots(ctx, r.CellID)
	if err != nil {
		return nil, err
	}
	found := map[string]Inventory{}
	for name, place := range r.Places {
		if found[name], err = place.Inventory(ctx); err != nil {
			return nil, fmt.Errorf("list what %s holds: %w", name, err)
		}
	}
	after, err := r.Record.Slots(ctx, r.CellID)
	if err != nil {
		return nil, err
	}
	findings := slices.Concat(missing(before, found), unknown(after, found), alive(before, found))
	for _, f := range findings {
		r.Log.WarnContext(ctx, "record and world differ", "reason", f.What, "ref", f.Ref, "where", f.Where)
		if err := r.repair(ctx, f); err != nil {
			return findings, err
		}
	}
	return findings, nil
}

func (r *Reconciler) repair(ctx context.Context, f Finding) error {
	switch f.What {
	case Rebuilt:
		return r.Record.ReopenSlot(ctx, f.Ref)
	case LoginAlive:
		return r.Record.ReopenRevocation(ctx, f.Ref)
	}
	return nil
}

// missing finds rows whose parts are not all there.
func missing(rows []Row, found map[string]Inventory) (findings []Finding) {
	for _, row := range rows {
		for name, inventory := range found {
			if inventory.Whole[row.Ref] {
				continue
			}
			switch {
			case row.State == slot.Ready:
				findings = append(findings, Finding{Ref: row.Ref, Where: name, What: Rebuilt})
			case row.Workspace == workspace.Active:
				findings = append(findings, Finding{Ref: row.Ref, Where: name, What: Missing})
			}
		}
	}
	return findings
}

// unknown finds what no row knows.
func unknown(rows []Row, found map[string]Inventory) (findings []Finding) {
	known := map[string]bool{}
	for _, row := range rows {
		known[row.Ref] = true
	}
	for name, inventory := range found {
		for ref := range inventory.Any {
			if !known[ref] {
				findings = append(findings, Finding{Ref: ref, Where: name, What: Unknown})
			}
		}
	}
	return findings
}

// alive finds deleted workspaces that somebody could still log in to, or is still in.
func alive(rows []Row, found map[string]Inventory) (findings []Finding) {
	for _, row := range rows {
		if row.Workspace == workspace.Deleted && found[placeOfCells].Entered[row.Ref] {
			findings = append(findings, Finding{Ref: row.Ref, Where: placeOfCells, What: LoginAlive})
		}
	}
	return findings
}

// NewInventory returns an empty Inventory.
func NewInventory() Inventory {
	return Inventory{Whole: map[string]bool{}, Any: map[string]bool{}, Entered: map[string]bool{}}
}
