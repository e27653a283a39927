// Package mute makes and ends silences, and has the incidents looked at that they concern: at once, and again when a
// silence begins or ends by its time.
package mute

import (
	"context"
	"time"

	"github.com/naksha-cloud/naksha/pkg/pg"
	"github.com/naksha-cloud/naksha/services/alerting/internal/alert"
	"github.com/naksha-cloud/naksha/services/alerting/internal/silence"
)

// Store keeps silences.
type Store interface {
	// InTx runs f in one transaction with one now.
	InTx(ctx context.Context, f func(ctx context.Context, tx *pg.Tx) error) error
	// Now is the time that a transaction begun now would have.
	Now() time.Time
	// ChangeSilences keeps everybody from looking at silences until tx ends, whose time begins anew; it comes before every
	// other lock.
	ChangeSilences(ctx context.Context, tx *pg.Tx) error
	// AddSilence inserts a silence under a new id.
	AddSilence(ctx context.Context, tx *pg.Tx, s silence.Silence) (silence.Silence, error)
	// SaveSilence keeps its times, author and comment.
	SaveSilence(ctx context.Context, tx *pg.Tx, s silence.Silence) error
	// LockSilence locks one; SILENCE_NOT_FOUND when there is none.
	LockSilence(ctx context.Context, tx *pg.Tx, id string) (silence.Silence, error)
	// ClaimSilence locks the silence that is due the longest; false = none.
	ClaimSilence(ctx context.Context, tx *pg.Tx) (silence.Silence, bool, error)
	// NextSilence is when one next begins or ends; zero = never.
	NextSilence(ctx context.Context) (time.Time, error)
	// AllFiring are all alerts that fire now.
	AllFiring(ctx context.Context, tx *pg.Tx) ([]alert.Alert, error)
}

// Settler looks at groups whose silences changed.
type Settler interface {
	Settle(ctx context.Context, tx *pg.Tx, groups []alert.Group) error
}

// Desk is where silences are made.
type Desk struct {
	store   Store
	settler Settler
	groupBy []string
	kick    func()
}

// New returns a Desk; groupBy are the labels that make a group, kick is told after each change.
func New(s Store, settler Settler, groupBy []string, kick func()) *Desk {
	return &Desk{store: s, settler: settler, groupBy: groupBy, kick: kick}
}

// inTx runs f alone: whoever looks at silences at the same time does so before or after it.
func (d *Desk) inTx(ctx context.Context, f func(ctx context.Context, tx *pg.Tx) error) error {
	return d.store.InTx(ctx, func(ctx context.Context, tx *pg.Tx) error {
		if err := d.store.ChangeSilences(ctx, tx); err != nil {
			return err
		}
		return f(ctx, tx)
	})
}

// Create makes a silence; SILENCE_INVALID.
func (d *Desk) Create(ctx context.Context, wanted silence.Silence) (made silence.Silence, err error) {
	err = d.inTx(ctx, func(ctx context.Context, tx *pg.Tx) error {
		settled, err := wanted.Settle(tx.Now)
		if err != nil {
			return err
		}
		if made, err = d.store.AddSilence(ctx, tx, settled); err != nil {
			return err
		}
		return d.settle(ctx, tx, made)
	})
	return made, err
}

// Replace changes a silence as Alertmanager does: one that has not ended, with the same matchers, keeps its id; any
// other ends now, and a new one begins. SILENCE_NOT_FOUND, SILENCE_INVALID.
func (d *Desk) Replace(ctx context.Context, wanted silence.Silence) (made silence.Silence, err error) {
	err = d.inTx(ctx, func(ctx context.Context, tx *pg.Tx) error {
		old, err := d.store.LockSilence(ctx, tx, wanted.ID)
		if err != nil {
			return err
		}
		begins := wanted.StartsAt
		settled, err := wanted.Settle(tx.Now)
		if err != nil {
			return err
		}
		if same(old, settled) && old.StateAt(tx.Now) != silence.Expired {
			made = change(old, settled, begins, tx.Now)
			err = d.store.SaveSilence(ctx, tx, made)
		} else {
			made, err = d.supersede(ctx, tx, old, settled)
		}
		if err != nil {
			return err
		}
		return d.settle(ctx, tx, made)
	})
	return made, err
}

// change is old with the wanted end, author and comment; one that is running keeps its beginning.
func change(old, wanted silence.Silence, begins, now time.Time) silence.Silence {
	changed := old
	if old.StateAt(now) == silence.Pending && !begins.IsZero() {
		changed.StartsAt = wanted.StartsAt
	}
	changed.EndsAt, changed.CreatedBy, changed.Comment, changed.UpdatedAt = wanted.EndsAt, wanted.CreatedBy, wanted.Comment, now
	return changed
}

func (d *Desk) supersede(ctx context.Context, tx *pg.Tx, old, wanted silence.Silence) (silence.Silence, error) {
	if err := d.end(ctx, tx, old); err != nil {
		return silence.Silence{}, err
	}
	return d.store.AddSilence(ctx, tx, wanted)
}

// End ends a silence now; one that has ended stays as it is. SILENCE_NOT_FOUND.
func (d *Desk) End(ctx context.Context, id string) error {
	return d.inTx(ctx, func(ctx context.Context, tx *pg.Tx) error {
		old, err := d.store.LockSilence(ctx, tx, id)
		if err != nil {
			return err
		}
		return d.end(ctx, tx, old)
	})
}

func (d *Desk) end(ctx context.Context, tx *pg.Tx, old silence.Silence) error {
	if old.StateAt(tx.Now) == silence.Expired {
		return nil
	}
	if old.StartsAt.After(tx.Now) {
		old.StartsAt = tx.Now
	}
	old.EndsAt, old.UpdatedAt = tx.Now, tx.Now
	if err := d.store.SaveSilence(ctx, tx, old); err != nil {
		return err
	}
	return d.settle(ctx, tx, old)
}

// Turn deals with one silence that began or ended by its time. It fits loop.Work.
func (d *Desk) Turn(ctx context.Context) (more bool, next time.Time, err error) {
	next, err = d.store.NextSilence(ctx)
	if err != nil || next.IsZero() || next.After(d.store.Now()) {
		return false, next, err
	}
	err = d.inTx(ctx, func(ctx context.Context, tx *pg.Tx) error {
		due, ok, err := d.store.ClaimSilence(ctx, tx)
		if more = ok; err != nil || !ok {
			return err
		}
		if err := d.store.SaveSilence(ctx, tx, due); err != nil { // its next change becomes due
			return err
		}
		return d.settle(ctx, tx, due)
	})
	return more, next, err
}

// settle looks at the groups of the firing alerts that the silence matches.
func (d *Desk) settle(ctx context.Context, tx *pg.Tx, s silence.Silence) error {
	firing, err := d.store.AllFiring(ctx, tx)
	if err != nil {
		return err
	}
	var groups []alert.Group
	for _, a := range firing {
		if s.Matches(a.Labels) {
			groups = append(groups, alert.GroupOf(a.Labels, d.groupBy))
		}
	}
	tx.AfterCommit(d.kick)
	return d.settler.Settle(ctx, tx, groups)
}

// same reports whether two silences have the same matchers in the same order.
func same(a, b silence.Silence) bool {
	if len(a.Matchers) != len(b.Matchers) {
		return false
	}
	for i := range a.Matchers {
		if a.Matchers[i].String() != b.Matchers[i].String() {
			return false
		}
	}
	return true
}
