// Package escalate brings incidents and the world together: it looks at the alerts of a group, lets the pure core decide,
// and keeps state, effects, timer and facts in one transaction. Every way into an incident leads through here: a post, a
// timer, a silence, a person, a page that reached nobody.
package escalate

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/naksha-cloud/naksha/pkg/pg"
	"github.com/naksha-cloud/naksha/services/alerting/internal/alert"
	"github.com/naksha-cloud/naksha/services/alerting/internal/delivery"
	"github.com/naksha-cloud/naksha/services/alerting/internal/incident"
	"github.com/naksha-cloud/naksha/services/alerting/internal/policy"
	"github.com/naksha-cloud/naksha/services/alerting/internal/silence"
)

// Store keeps incidents. An incident's lock comes before those of its timer and its deliveries.
type Store interface {
	// InTx runs f in one transaction with one now.
	InTx(ctx context.Context, f func(ctx context.Context, tx *pg.Tx) error) error
	// Now is the time that a transaction begun now would have.
	Now() time.Time
	// LockGroups locks the open incidents of groups, by group.
	LockGroups(ctx context.Context, tx *pg.Tx, groups []string) (map[string]incident.State, error)
	// LockIncident locks one; INCIDENT_NOT_FOUND when there is none.
	LockIncident(ctx context.Context, tx *pg.Tx, id string) (incident.State, error)
	// FiringAlerts are the groups' alerts that fire now, oldest first.
	FiringAlerts(ctx context.Context, tx *pg.Tx, groups []string) (map[string][]alert.Alert, error)
	// HoldSilences keeps silences as they are until tx ends, whose time begins anew; it comes before every other lock.
	HoldSilences(ctx context.Context, tx *pg.Tx) error
	// ActiveSilences are the silences that hold now.
	ActiveSilences(ctx context.Context, tx *pg.Tx) ([]silence.Silence, error)
	// Open inserts an incident with its effects; false when the group has one already.
	Open(ctx context.Context, tx *pg.Tx, s incident.State, effects []incident.Effect) (bool, error)
	// Apply keeps the next state, the effects and the timer.
	Apply(ctx context.Context, tx *pg.Tx, s incident.State, effects []incident.Effect) error
	// AttachAlerts says which incident alerts belong to.
	AttachAlerts(ctx context.Context, tx *pg.Tx, incident string, keys []string) error
	// EndAlerts ends a group's firing alerts.
	EndAlerts(ctx context.Context, tx *pg.Tx, group string) error
}

// Emit records a fact in tx.
type Emit func(ctx context.Context, tx *pg.Tx, fact any) error

// Desk is where incidents are dealt with.
type Desk struct {
	store Store
	book  policy.Book
	emit  Emit
	kick  func() // told after a commit that may have left something to send or to time
}

// New returns a Desk that escalates by book.
func New(s Store, book policy.Book, emit Emit, kick func()) *Desk {
	return &Desk{store: s, book: book, emit: emit, kick: kick}
}

// Settle looks at groups whose alerts or silences changed: it opens the incidents that are due and tells running ones.
// The caller holds or changes the silences.
func (d *Desk) Settle(ctx context.Context, tx *pg.Tx, groups []alert.Group) error {
	groups = slices.Clone(groups)
	slices.SortFunc(groups, func(a, b alert.Group) int { return strings.Compare(a.ID, b.ID) })
	groups = slices.CompactFunc(groups, func(a, b alert.Group) bool { return a.ID == b.ID })
	view, err := d.look(ctx, tx, groups)
	if err != nil {
		return err
	}
	for _, group := range groups {
		if err := d.settle(ctx, tx, group, view); err != nil {
			return fmt.Errorf("settle group %s: %w", group.Key, err)
		}
	}
	return nil
}

func (d *Desk) settle(ctx context.Context, tx *pg.Tx, group alert.Group, v view) error {
	seen, loud := d.see(v, group.ID, tx.Now)
	state, open := v.open[group.ID]
	if !open && seen.Opens() {
		return d.open(ctx, tx, group, v)
	}
	if !open {
		return nil
	}
	return d.observe(ctx, tx, state, seen, loud)
}

// open makes the group's incident; when another transaction was faster, this one waits for it and joins its incident.
func (d *Desk) open(ctx context.Context, tx *pg.Tx, group alert.Group, v view) error {
	id, err := uuid.NewV7()
	if err != nil {
		return fmt.Errorf("make incident id: %w", err)
	}
	seen, loud := d.see(v, group.ID, tx.Now)
	state, effects := incident.Open(id.String(), group.ID, group.Key, seen, tx.Now)
	opened, err := d.store.Open(ctx, tx, state, effects)
	if err != nil {
		return err
	}
	if opened {
		return d.after(ctx, tx, state, effects, loud)
	}
	there, err := d.store.LockGroups(ctx, tx, []string{group.ID})
	if err != nil {
		return err
	}
	state, ok := there[group.ID]
	if !ok {
		return d.open(ctx, tx, group, v) // it was resolved in the same moment
	}
	return d.observe(ctx, tx, state, seen, loud)
}

// observe steps a running incident. What says nothing new is not written: a timer that comes early looks again.
func (d *Desk) observe(ctx context.Context, tx *pg.Tx, before incident.State, seen incident.Seen, loud []alert.Alert) error {
	state, effects := incident.Step(before, incident.Observe{Seen: seen}, tx.Now)
	if unchanged(before, state, effects) {
		return d.attach(ctx, tx, state, loud)
	}
	if err := d.store.Apply(ctx, tx, state, effects); err != nil {
		return err
	}
	return d.after(ctx, tx, state, effects, loud)
}

// unchanged reports whether a step may go unwritten: only the alerts' end moved, and not to an earlier moment.
func unchanged(before, after incident.State, effects []incident.Effect) bool {
	return len(effects) == 0 && before.Status == after.Status && before.QuietSince.Equal(after.QuietSince) &&
		before.Muted == after.Muted && before.Cycle == after.Cycle && before.Level == after.Level &&
		!before.Until.IsZero() && !after.Until.Before(before.Until)
}

// after emits a step's facts, links its alerts, and wakes who has to act on it.
func (d *Desk) after(ctx context.Context, tx *pg.Tx, s incident.State, effects []incident.Effect, loud []alert.Alert) error {
	for _, effect := range effects {
		switch effect.(type) {
		case incident.Opened, incident.Escalated, incident.WasAcknowledged, incident.WasResolved:
			if err := d.emit(ctx, tx, effect); err != nil {
				return err
			}
		}
	}
	tx.AfterCommit(d.kick)
	return d.attach(ctx, tx, s, loud)
}

func (d *Desk) attach(ctx context.Context, tx *pg.Tx, s incident.State, loud []alert.Alert) error {
	var keys []string
	for _, a := range loud {
		if a.Incident != s.ID {
			keys = append(keys, alert.Key(a.Labels))
		}
	}
	if len(keys) == 0 {
		return nil
	}
	return d.store.AttachAlerts(ctx, tx, s.ID, keys)
}

// Acknowledge stops an incident's escalation: by works on it. Repeated, it changes nothing; INCIDENT_NOT_FOUND,
// INCIDENT_RESOLVED.
func (d *Desk) Acknowledge(ctx context.Context, id, by string) (incident.State, error) {
	return d.person(ctx, id, func(_ context.Context, _ *pg.Tx, s incident.State) (incident.Event, error) {
		return incident.Acknowledge{By: by}, s.MayAcknowledge()
	})
}

// Resolve ends an incident, and with it the alerts that still fire: a condition that is reported again opens a new one.
// Repeated, it changes nothing; INCIDENT_NOT_FOUND.
func (d *Desk) Resolve(ctx context.Context, id, by string) (incident.State, error) {
	return d.person(ctx, id, func(ctx context.Context, tx *pg.Tx, s incident.State) (incident.Event, error) {
		if s.Status == incident.Resolved {
			return incident.Resolve{By: by}, nil
		}
		return incident.Resolve{By: by}, d.store.EndAlerts(ctx, tx, s.GroupID)
	})
}

// person steps one incident by a person's decision.
func (d *Desk) person(
	ctx context.Context, id string, decide func(context.Context, *pg.Tx, incident.State) (incident.Event, error),
) (state incident.State, err error) {
	err = d.store.InTx(ctx, func(ctx context.Context, tx *pg.Tx) error {
		before, err := d.store.LockIncident(ctx, tx, id)
		if err != nil {
			return err
		}
		event, err := decide(ctx, tx, before)
		if err != nil {
			return err
		}
		state, err = d.step(ctx, tx, before, event)
		return err
	})
	return state, err
}

func (d *Desk) step(ctx context.Context, tx *pg.Tx, before incident.State, e incident.Event) (incident.State, error) {
	state, effects := incident.Step(before, e, tx.Now)
	if len(effects) == 0 {
		return state, nil
	}
	if err := d.store.Apply(ctx, tx, state, effects); err != nil {
		return state, err
	}
	return state, d.after(ctx, tx, state, effects, nil)
}

// LockFor locks the incident of a delivery, before the delivery itself is locked.
func (d *Desk) LockFor(ctx context.Context, tx *pg.Tx, p delivery.Delivery) error {
	_, err := d.store.LockIncident(ctx, tx, p.Incident)
	return err
}

// Unreached moves an incident on whose level was reached by no page.
func (d *Desk) Unreached(ctx context.Context, tx *pg.Tx, p delivery.Delivery) error {
	before, err := d.store.LockIncident(ctx, tx, p.Incident)
	if err != nil {
		return err
	}
	_, err = d.step(ctx, tx, before, incident.Unreached{Cycle: p.Cycle, Level: p.Level})
	return err
}
