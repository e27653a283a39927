package escalate

import (
	"context"
	"errors"
	"time"

	"github.com/naksha-cloud/naksha/pkg/pg"
	"github.com/naksha-cloud/naksha/services/alerting/internal/incident"
)

// Timers keeps when incidents have to be looked at.
type Timers interface {
	// ClaimDue locks the open incident whose timer is due the longest and that nobody holds; false = none.
	ClaimDue(ctx context.Context, tx *pg.Tx) (incident.State, bool, error)
	// NextTimer is when the earliest timer is due; zero = there is none.
	NextTimer(ctx context.Context) (time.Time, error)
	// SetTimer sets when an incident is looked at next; zero = not any more.
	SetTimer(ctx context.Context, tx *pg.Tx, id string, due time.Time) error
}

// postponed is how long an incident waits whose timer could not be dealt with: the others must not wait for it.
const postponed = 5 * time.Second

// Fire deals with one due timer, in one transaction. It fits loop.Work; late is told how late a timer was.
func (d *Desk) Fire(ctx context.Context, timers Timers, late func(time.Duration)) (more bool, next time.Time, err error) {
	next, err = timers.NextTimer(ctx)
	if err != nil || next.IsZero() || next.After(d.store.Now()) {
		return false, next, err
	}
	var claimed incident.State
	err = d.store.InTx(ctx, func(ctx context.Context, tx *pg.Tx) error {
		err := d.store.HoldSilences(ctx, tx)
		if err != nil {
			return err
		}
		if claimed, more, err = timers.ClaimDue(ctx, tx); err != nil || !more {
			return err
		}
		late(tx.Now.Sub(claimed.Wake()))
		return d.fire(ctx, tx, claimed)
	})
	if err != nil && claimed.ID != "" {
		err = errors.Join(err, d.postpone(ctx, timers, claimed.ID))
	}
	return more, next, err
}

func (d *Desk) fire(ctx context.Context, tx *pg.Tx, s incident.State) error {
	var v view
	if err := d.lookAtAlerts(ctx, tx, []string{s.GroupID}, &v); err != nil {
		return err
	}
	seen, loud := d.see(v, s.GroupID, tx.Now)
	state, effects := incident.Step(s, incident.Observe{Seen: seen}, tx.Now)
	if err := d.store.Apply(ctx, tx, state, effects); err != nil {
		return err
	}
	if len(effects) == 0 {
		return nil
	}
	return d.after(ctx, tx, state, effects, loud)
}

func (d *Desk) postpone(ctx context.Context, timers Timers, id string) error {
	return d.store.InTx(ctx, func(ctx context.Context, tx *pg.Tx) error {
		return timers.SetTimer(ctx, tx, id, tx.Now.Add(postponed))
	})
}
