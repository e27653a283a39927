// Package rotatetest has fake parts for rotation's machine, to be simulated with pkg/sim: the database as Journal and
// custody's Store (Record), and a cell with tenant's CellService on it (Cell). A call of either is one decision of the
// world. It also holds what every Journal must do (Journal), which the real store passes as well.
package rotatetest

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"github.com/naksha-cloud/naksha/pkg/clock"
	"github.com/naksha-cloud/naksha/pkg/sim"
	"github.com/naksha-cloud/naksha/services/rotation/internal/credential"
	"github.com/naksha-cloud/naksha/services/rotation/internal/custody"
	"github.com/naksha-cloud/naksha/services/rotation/internal/generation"
	"github.com/naksha-cloud/naksha/services/rotation/internal/rotation"
)

// Record is the service's database: what has committed.
type Record struct {
	Tables
	OnCommit func(before, after Tables) // sees each change; nil = nobody
	Reasons  map[rotation.Reason]int    // how often something was done for a reason
}

// Tables are what the schema holds, to be read by a scenario.
type Tables struct {
	Credentials map[credential.Name]credential.Credential // without RotationID, which follows from Rotations
	Generations map[credential.Name]map[int32]Generation
	Rotations   []Row
	Journal     []Act
	Facts       []any
	requests    map[string]answered
}

// Generation is a row of table generation.
type Generation struct {
	State  generation.State
	Secret generation.Secret // zero: minted elsewhere, or erased
}

// Row is a row of table rotation.
type Row struct {
	rotation.Rotation
	Epoch      int64
	LeaseUntil time.Time // zero = nobody holds it
}

// Act is a row of table journal.
type Act struct {
	Rotation string
	Intents  []rotation.Action // one for each attempt
	Entry    rotation.Entry    // zero while the act is open
}

type answered struct{ hash, rotation string }

// NewRecord returns an empty one.
func NewRecord() *Record {
	return &Record{Tables: Tables{
		Credentials: map[credential.Name]credential.Credential{}, Generations: map[credential.Name]map[int32]Generation{},
		requests: map[string]answered{},
	}, Reasons: map[rotation.Reason]int{}}
}

// clone copies what a transaction may change.
func (t Tables) clone() Tables {
	t.Credentials, t.requests = maps.Clone(t.Credentials), maps.Clone(t.requests)
	t.Generations = maps.Clone(t.Generations)
	for n, g := range t.Generations {
		t.Generations[n] = maps.Clone(g)
	}
	t.Rotations, t.Journal, t.Facts = slices.Clone(t.Rotations), slices.Clone(t.Journal), slices.Clone(t.Facts)
	return t
}

// inTx keeps what f changes when f returns nil.
func (r *Record) inTx(f func() error) error {
	before := r.Tables
	r.Tables = before.clone()
	if err := f(); err != nil {
		r.Tables = before
		return err
	}
	if r.OnCommit != nil {
		r.OnCommit(before, r.Tables)
	}
	return nil
}

// row finds a rotation; nil = none.
func (t *Tables) row(match func(r Row) bool) *Row {
	if i := slices.IndexFunc(t.Rotations, match); i >= 0 {
		return &t.Rotations[i]
	}
	return nil
}

func (t *Tables) byID(id string) *Row { return t.row(func(r Row) bool { return r.ID == id }) }

// Active is the rotation of a credential that is under way; nil = none.
func (t *Tables) Active(n credential.Name) *Row {
	return t.row(func(r Row) bool { return r.Credential == n && r.EndedAt.IsZero() })
}

// Entries are the closed acts of a rotation.
func (t *Tables) Entries(id string) (entries []rotation.Entry) {
	for _, a := range t.Journal {
		if a.Rotation == id && a.Entry.State != "" {
			entries = append(entries, a.Entry)
		}
	}
	return entries
}

// Intents are the actions that were put on record for a rotation.
func (t *Tables) Intents(id string) (actions []rotation.Action) {
	for _, a := range t.Journal {
		if a.Rotation == id {
			actions = append(actions, a.Intents...)
		}
	}
	return actions
}

// Names are the credentials' names in order.
func (t *Tables) Names() []credential.Name { return slices.Sorted(maps.Keys(t.Credentials)) }

// redeemable is the newest generation that a holder may know of.
func (t *Tables) redeemable(n credential.Name) (best custody.Redeemable, found bool) {
	for number, g := range t.Generations[n] {
		made := t.row(func(r Row) bool { return r.Credential == n && r.New == number })
		known := g.State == generation.Announced || g.State == generation.Active
		if known && made != nil && !g.Secret.Zero() && number > best.Generation {
			best, found = custody.Redeemable{Generation: number, RotationID: made.ID, Secret: g.Secret}, true
		}
	}
	return best, found
}

// due are the rotations that may be claimed at now, by when they are due.
func (t *Tables) due(now time.Time) (due []*Row) {
	for i := range t.Rotations {
		r := &t.Rotations[i]
		if r.EndedAt.IsZero() && !r.DueAt.After(now) && !r.LeaseUntil.After(now) {
			due = append(due, r)
		}
	}
	slices.SortStableFunc(due, func(a, b *Row) int { return cmp.Or(a.DueAt.Compare(b.DueAt), cmp.Compare(a.ID, b.ID)) })
	return due
}

// Conn is one process's connection to the Record: a rotate.Journal and a custody.Store.
type Conn struct {
	record  *Record
	clock   clock.Clock
	process *sim.Process // nil: every call has its effect at once

	Unfenced bool // broken on purpose: it writes under any epoch
}

// Connect returns a Conn whose calls are p's to make and the world's to decide.
func (r *Record) Connect(p *sim.Process) *Conn { return &Conn{record: r, clock: p.Clock(), process: p} }

// Plain returns a Conn without a world, on a clock.
func (r *Record) Plain(c clock.Clock) *Conn { return &Conn{record: r, clock: c} }

func (c *Conn) now() time.Time { return c.clock.Now().Truncate(time.Microsecond) }

// ask makes a call by which nothing is changed but the Record.
func ask[T any](ctx context.Context, c *Conn, name string, effect func() (T, error)) (T, error) {
	if c.process == nil {
		return effect()
	}
	return sim.Ask(ctx, c.process, name, effect)
}

// askTx is ask in a transaction.
func askTx[T any](ctx context.Context, c *Conn, name string, effect func() (T, error)) (T, error) {
	return ask(ctx, c, name, func() (value T, err error) {
		err = c.record.inTx(func() (err error) { value, err = effect(); return err })
		return value, err
	})
}
