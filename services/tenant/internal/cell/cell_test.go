package cell_test

import (
	"testing"

	"github.com/naksha-cloud/naksha/services/tenant/internal/cell"
)

const ref = "abcdefghijklmnopqrst"

func TestNamesFollowFromOwnerAndGeneration(t *testing.T) {
	t.Parallel()
	for name, role := range map[string]string{
		"workspaces/" + ref: "w_" + ref + "_g7", "servers/server1": "naksha_backup_g7",
	} {
		owner, err := cell.ParseOwner(name)
		if err != nil || owner.Role(7) != role || owner.Name() != name {
			t.Errorf("%s: %s, %s, %v", name, owner.Role(7), owner.Name(), err)
		}
	}
	if _, err := cell.ParseOwner("workspaces/x"); err == nil {
		t.Error("a malformed owner is taken")
	}
}

func TestRestoresOfOneMomentHaveDifferentNames(t *testing.T) {
	t.Parallel()
	one := cell.Restore{Ref: ref, ID: "0198c0de-0001-7000-8000-000000000001"}
	two := cell.Restore{Ref: ref, ID: "0198C0DE-0001-7000-8000-000000000002"}
	if one.Staged() != "w_"+ref+"__r00000001" || one.Undo() != "w_"+ref+"__u00000001" || one.Live() != "w_"+ref {
		t.Errorf("%s, %s, %s", one.Staged(), one.Undo(), one.Live())
	}
	if one.Staged() == two.Staged() {
		t.Error("two restores share a schema")
	}
}

func TestPresenceTellsHowFarARestoreCame(t *testing.T) {
	t.Parallel()
	for p, want := range map[cell.Presence][2]bool{ // swappable, swapped
		{Live: true}:                           {false, false},
		{Live: true, Staged: true}:             {true, false},
		{Live: true, Undo: true}:               {false, true},
		{Live: true, Staged: true, Undo: true}: {false, false},
		{Staged: true, Undo: true}:             {false, false},
	} {
		if got := [2]bool{p.Swappable(), p.Swapped()}; got != want {
			t.Errorf("%+v: %v", p, got)
		}
	}
}
