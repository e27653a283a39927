package cell

import (
	"strings"

	"github.com/naksha-cloud/naksha/services/tenant/internal/workspace"
)

// Restore names everything that one restore has in a cell.
type Restore struct {
	Ref string
	ID  string // UUID
}

// tail are the restore id's last eight digits. The first eight of a UUIDv7 are its time: two restores within a minute
// would share them.
func (r Restore) tail() string {
	digits := strings.ReplaceAll(strings.ToLower(r.ID), "-", "")
	return digits[max(0, len(digits)-8):]
}

// Live is the schema that the customer uses.
func (r Restore) Live() string { return workspace.Schema(r.Ref) }

// Staged is the schema that is restored into; the restore's login has the same name.
func (r Restore) Staged() string { return r.Live() + "__r" + r.tail() }

// Undo is the schema that keeps the replaced data.
func (r Restore) Undo() string { return r.Live() + "__u" + r.tail() }

// Scratch is the empty database in which Postgres renames the DDL.
func (r Restore) Scratch() string { return r.Live() + "__s" + r.tail() }

// Presence is which of a restore's schemas exist. A swap is one transaction, so what exists says how far it came.
type Presence struct{ Live, Staged, Undo bool }

// Swapped says that the staged schema took the live one's place.
func (p Presence) Swapped() bool { return p.Live && p.Undo && !p.Staged }

// Swappable says that a staged schema waits.
func (p Presence) Swappable() bool { return p.Live && p.Staged && !p.Undo }
