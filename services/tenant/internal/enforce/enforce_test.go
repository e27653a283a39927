package enforce_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/naksha-cloud/naksha/services/tenant/internal/enforce"
)

// record is a record in memory; the real one is run by the service's tests.
type record map[string]bool // refs that are not revoked yet

func (r record) Unrevoked(_ context.Context, after string, limit int) ([]string, error) {
	refs := slices.Sorted(maps.Keys(r))
	refs = slices.DeleteFunc(refs, func(ref string) bool { return ref <= after })
	return refs[:min(len(refs), limit)], nil
}

func (r record) NoteRevoked(_ context.Context, ref string) error {
	delete(r, ref)
	return nil
}

func (record) Unapplied(context.Context, int) (map[string]string, error) { return nil, nil }
func (record) NoteApplied(context.Context, string, string) error         { return nil }

// place counts who was revoked, and fails for those below a ref.
type place struct {
	failsBelow string
	revoked    map[string]bool
}

func (p place) RevokeWorkspace(_ context.Context, ref string) error {
	p.revoked[ref] = true
	if ref < p.failsBelow {
		return errors.New("away")
	}
	return nil
}

func (place) LimitConnections(context.Context, string, int) error { return nil }

func TestManyThatFailKeepNobodyElseWaiting(t *testing.T) {
	t.Parallel()
	rows := record{}
	for i := range 250 {
		rows[fmt.Sprintf("w%03d", i)] = true
	}
	cell, region := place{revoked: map[string]bool{}}, place{failsBelow: "w220", revoked: map[string]bool{}}
	err := (&enforce.Enforcer{Record: rows, Cell: cell, Regions: []enforce.Region{region}}).Enforce(t.Context())
	if err == nil {
		t.Error("the failures were kept quiet")
	}
	if len(cell.revoked) != 250 || len(region.revoked) != 250 {
		t.Errorf("tried %d in the cell, %d in the region", len(cell.revoked), len(region.revoked))
	}
	if len(rows) != 220 || rows["w220"] {
		t.Errorf("%d are left", len(rows))
	}
}
