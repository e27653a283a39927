// Package provision keeps complete slots waiting: it builds them (Builder), keeps their number above a low-water mark
// (Refiller), and compares the record with what really exists in cells and regions (Reconciler). It never touches what
// the record does not know: that may be a customer's data after a restore of the platform database.
package provision

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/naksha-cloud/naksha/pkg/scram"
	"github.com/naksha-cloud/naksha/services/tenant/internal/plan"
	"github.com/naksha-cloud/naksha/services/tenant/internal/slot"
)

// Count is how many slots of a cell are not claimed.
type Count struct {
	Ready     int
	Building  int // somebody builds them
	Abandoned int // begun and given up
}

// Slots is the record.
type Slots interface {
	// BeginSlot takes over an abandoned slot or records the intent to build a new one.
	BeginSlot(ctx context.Context, cell string, lease time.Duration) (slot.Slot, error)
	// FinishSlot makes a slot ready; an error when it was taken over.
	FinishSlot(ctx context.Context, s slot.Slot, secrets []byte) error
	// AbandonSlot lets another builder take over at once.
	AbandonSlot(ctx context.Context, s slot.Slot) error
	CountSlots(ctx context.Context, cell string) (Count, error)
}

// Cell makes a slot's part in the database. Unavailable: the cell does not answer.
type Cell interface {
	// BuildSlot creates or adopts schema, roles and login generation 1 with a SCRAM verifier.
	BuildSlot(ctx context.Context, ref, verifier string, connections int) error
}

// Region makes a slot's part in one S3 region. Unavailable: the region does not answer.
type Region interface {
	Name() string
	// BuildSlot creates or adopts bucket and user, and gives the user a fresh key in place of any that it had.
	BuildSlot(ctx context.Context, ref string) (slot.S3Key, error)
}

// Vault seals secrets.
type Vault interface {
	Seal(name string, value []byte) ([]byte, error)
}

const (
	buildTime = 20 * time.Second // one attempt
	// buildLease outlives an attempt by far: whoever takes over finds nobody at work.
	buildLease = 60 * time.Second
)

// Builder builds slots of one cell.
type Builder struct {
	slots   Slots
	cell    Cell
	regions []Region
	vault   Vault
	cellID  string
	inline  chan struct{} // a token for each order that builds for itself
	wake    func()
}

// Config names a Builder's parts.
type Config struct {
	Slots   Slots
	Cell    Cell
	Regions []Region
	Vault   Vault
	CellID  string
	Inline  int    // how many orders may build for themselves at once
	Wake    func() // wakes the refiller
}

// NewBuilder returns a Builder.
func NewBuilder(c Config) *Builder {
	return &Builder{
		slots: c.Slots, cell: c.Cell, regions: c.Regions, vault: c.Vault, cellID: c.CellID,
		inline: make(chan struct{}, c.Inline), wake: c.Wake,
	}
}

// Wake has the refiller look.
func (b *Builder) Wake() { b.wake() }

// BuildNow is for an order that found no slot: it waits for its turn, and builds unless there is one by then.
func (b *Builder) BuildNow(ctx context.Context) error {
	select {
	case b.inline <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-b.inline }()
	count, err := b.slots.CountSlots(ctx, b.cellID)
	if err != nil || count.Ready > 0 {
		return err
	}
	return b.Build(ctx)
}

// Build builds one slot: intent row, idempotent acts under names that follow from its ref, outcome row. Where it fails,
// the next Build begins the same slot again.
func (b *Builder) Build(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, buildTime)
	defer cancel()
	s, err := b.slots.BeginSlot(ctx, b.cellID, buildLease)
	if err != nil {
		return err
	}
	if err := b.build(ctx, s); err != nil {
		after, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
		defer cancel()
		return errors.Join(fmt.Errorf("build slot %s: %w", s.Ref, err), b.slots.AbandonSlot(after, s))
	}
	return nil
}

func (b *Builder) build(ctx context.Context, s slot.Slot) error {
	secrets, err := b.make(ctx, s.Ref)
	if err != nil {
		return err
	}
	plain, err := secrets.Encode()
	if err != nil {
		return err
	}
	sealed, err := b.vault.Seal(slot.Name(s.Ref), plain)
	if err != nil {
		return err
	}
	return b.slots.FinishSlot(ctx, s, sealed)
}

// make mints the secrets and makes every part, cell and regions side by side. A repeat mints anew: nobody has seen the
// secrets of an attempt that did not end.
func (b *Builder) make(ctx context.Context, ref string) (slot.Secrets, error) {
	secrets := slot.Secrets{DatabasePassword: scram.Password(), S3: map[string]slot.S3Key{}}
	verifier, err := scram.Verifier(secrets.DatabasePassword)
	if err != nil {
		return slot.Secrets{}, err
	}
	limits, err := plan.Find(plan.Free)
	if err != nil {
		return slot.Secrets{}, err
	}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return b.cell.BuildSlot(ctx, ref, verifier, limits.Connections) })
	keys := make([]slot.S3Key, len(b.regions))
	for i, region := range b.regions {
		group.Go(func() (err error) {
			keys[i], err = region.BuildSlot(ctx, ref)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return slot.Secrets{}, err
	}
	for i, region := range b.regions {
		secrets.S3[region.Name()] = keys[i]
	}
	return secrets, nil
}
