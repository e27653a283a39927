// Package deliver sends what has to be told. A delivery is claimed by a lease, its attempt is a durable row before the
// call, the incident is looked at once more, and what came of it is kept under the claim's fence. A process that dies at
// any moment leaves a row that the next one takes up, under the same id: a page may be seen twice, never not at all.
package deliver

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/naksha-cloud/naksha/pkg/pg"
	"github.com/naksha-cloud/naksha/services/alerting/internal/alert"
	"github.com/naksha-cloud/naksha/services/alerting/internal/channel"
	"github.com/naksha-cloud/naksha/services/alerting/internal/delivery"
	"github.com/naksha-cloud/naksha/services/alerting/internal/incident"
	"github.com/naksha-cloud/naksha/services/alerting/internal/policy"
)

// Store keeps deliveries.
type Store interface {
	// InTx runs f in one transaction with one now.
	InTx(ctx context.Context, f func(ctx context.Context, tx *pg.Tx) error) error
	// Now is the time that a transaction begun now would have.
	Now() time.Time
	// ClaimDelivery leases the most urgent delivery that may be tried now and begins its attempt; false = none.
	ClaimDelivery(ctx context.Context, tx *pg.Tx) (delivery.Delivery, bool, error)
	// FinishDelivery keeps what came of d's attempt, and returns the delivery's state afterwards.
	FinishDelivery(ctx context.Context, tx *pg.Tx, d delivery.Delivery, v delivery.Verdict, text string) (delivery.State, error)
	// LevelReached reports whether a page of d's level was taken, or may still be.
	LevelReached(ctx context.Context, tx *pg.Tx, d delivery.Delivery) (bool, error)
	// NextDelivery is when a delivery can next be claimed; zero = none waits.
	NextDelivery(ctx context.Context) (time.Time, error)
	// Incident reads an incident.
	Incident(ctx context.Context, id string) (incident.State, error)
	// IncidentAlerts are an incident's alerts, oldest first, at most limit.
	IncidentAlerts(ctx context.Context, id string, limit int) ([]alert.Alert, error)
}

// Escalation hears of levels that nobody was reached at.
type Escalation interface {
	// LockFor locks the delivery's incident, before the delivery.
	LockFor(ctx context.Context, tx *pg.Tx, d delivery.Delivery) error
	// Unreached moves the incident on.
	Unreached(ctx context.Context, tx *pg.Tx, d delivery.Delivery) error
}

// Observer is told of each attempt that ended, and why it failed (nil = it did not).
type Observer func(ctx context.Context, d delivery.Delivery, outcome delivery.Outcome, took time.Duration, cause error)

// Sender sends deliveries.
type Sender struct {
	store      Store
	escalation Escalation
	book       policy.Book
	channels   map[string]channel.Channel
	observe    Observer
}

// New returns a Sender that reaches the book's targets by channels.
func New(s Store, e Escalation, book policy.Book, channels []channel.Channel, observe Observer) *Sender {
	byName := map[string]channel.Channel{}
	for _, c := range channels {
		byName[c.Name()] = c
	}
	return &Sender{store: s, escalation: e, book: book, channels: byName, observe: observe}
}

// Send deals with one delivery. It fits loop.Work: one that was claimed is finished also when ctx ends.
func (s *Sender) Send(ctx context.Context) (more bool, next time.Time, err error) {
	next, err = s.store.NextDelivery(ctx)
	if err != nil || next.IsZero() || next.After(s.store.Now()) {
		return false, next, err
	}
	claimed, ok, err := s.claim(ctx)
	if err != nil || !ok {
		return false, next, err
	}
	begin := s.store.Now()
	outcome, cause := s.attempt(context.WithoutCancel(ctx), claimed)
	verdict := claimed.Judge(outcome, channel.RetryAfter(cause), s.store.Now())
	if err := s.finish(context.WithoutCancel(ctx), claimed, verdict, cause); err != nil {
		return false, time.Time{}, err
	}
	s.observe(ctx, claimed, verdict.Outcome, s.store.Now().Sub(begin), cause)
	return true, time.Time{}, nil
}

func (s *Sender) claim(ctx context.Context) (d delivery.Delivery, ok bool, err error) {
	err = s.store.InTx(ctx, func(ctx context.Context, tx *pg.Tx) error {
		d, ok, err = s.store.ClaimDelivery(ctx, tx)
		return err
	})
	return d, ok, err
}

// attempt looks once more whether anybody still has to be told, and calls the provider.
func (s *Sender) attempt(ctx context.Context, d delivery.Delivery) (delivery.Outcome, error) {
	ctx, cancel := context.WithTimeout(ctx, delivery.Timeout)
	defer cancel()
	state, err := s.store.Incident(ctx, d.Incident)
	if err != nil {
		return delivery.Temporary, fmt.Errorf("look at the incident: %w", err)
	}
	if !wanted(d, state) {
		return delivery.Unneeded, nil
	}
	by, to, ok := s.route(d)
	if !ok {
		return delivery.Permanent, &channel.Failure{
			Permanent: true, Why: fmt.Sprintf("%s has no address for %s any more", d.Target, d.Channel),
		}
	}
	message, err := s.message(ctx, d, state)
	if err != nil {
		return delivery.Temporary, err
	}
	switch err := by.Send(ctx, to, message); {
	case err == nil:
		return delivery.Taken, nil
	case channel.Permanent(err):
		return delivery.Permanent, err
	default:
		return delivery.Temporary, err
	}
}

// wanted is the last look: a page that somebody's decision overtook is not sent. Notices always are.
func wanted(d delivery.Delivery, s incident.State) bool {
	return d.Kind != delivery.Page || s.Status == incident.Triggered && !s.Muted && s.Cycle == d.Cycle
}

func (s *Sender) route(d delivery.Delivery) (channel.Channel, policy.Address, bool) {
	by, ok := s.channels[d.Channel]
	if !ok {
		return nil, policy.Address{}, false
	}
	to, ok := s.book.Address(d.Target, d.Channel)
	return by, to, ok
}

func (s *Sender) message(ctx context.Context, d delivery.Delivery, state incident.State) (channel.Message, error) {
	alerts, err := s.store.IncidentAlerts(ctx, d.Incident, channel.MaxAlerts)
	if err != nil {
		return channel.Message{}, err
	}
	m := channel.Message{
		ID: d.ID, Kind: string(d.Kind), Target: d.Target, Cycle: d.Cycle, Level: d.Level, Created: d.CreatedAt,
		Late: max(0, d.CreatedAt.Sub(d.DueAt)),
		Incident: channel.Incident{
			ID: state.ID, Severity: state.Severity.String(), Status: string(state.Status), Title: state.Title,
			GroupKey: state.GroupKey, RunbookURL: state.RunbookURL, OpenedAt: state.OpenedAt,
			AcknowledgedBy: state.AckedBy, ResolvedBy: state.ResolvedBy,
		},
	}
	for _, a := range alerts {
		m.Alerts = append(m.Alerts, channel.Alert{
			Labels: a.Labels, Annotations: a.Annotations, StartsAt: a.StartsAt, Firing: a.Firing(s.store.Now()),
			GeneratorURL: a.GeneratorURL,
		})
	}
	return m, nil
}

// finish keeps the outcome. When the last page of a level was given up, the escalation goes on in the same transaction.
func (s *Sender) finish(ctx context.Context, d delivery.Delivery, v delivery.Verdict, cause error) error {
	ctx, cancel := context.WithTimeout(ctx, delivery.Timeout)
	defer cancel()
	text := reason(cause)
	return s.store.InTx(ctx, func(ctx context.Context, tx *pg.Tx) error {
		lost := v.State == delivery.Failed && d.Kind == delivery.Page
		if lost {
			if err := s.escalation.LockFor(ctx, tx, d); err != nil {
				return err
			}
		}
		state, err := s.store.FinishDelivery(ctx, tx, d, v, text)
		if err != nil || !lost || state != delivery.Failed {
			return err
		}
		reached, err := s.store.LevelReached(ctx, tx, d)
		if err != nil || reached {
			return err
		}
		return s.escalation.Unreached(ctx, tx, d)
	})
}

// maxReason bounds the text of a failure, in bytes.
const maxReason = 500

// reason is err as text that a row can hold: a provider's answer may be anything.
func reason(err error) string {
	if err == nil {
		return ""
	}
	text := strings.ReplaceAll(err.Error(), "\x00", "")
	if len(text) > maxReason {
		text = text[:maxReason]
	}
	return strings.ToValidUTF8(text, "")
}
