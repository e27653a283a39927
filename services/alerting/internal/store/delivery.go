package store

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/naksha-cloud/naksha/pkg/pg"
	"github.com/naksha-cloud/naksha/services/alerting/internal/delivery"
)

// deliveryRow is a row of delivery.
type deliveryRow struct {
	ID         uuid.UUID
	IncidentID uuid.UUID
	Cycle      int
	Level      int
	Target     string
	Channel    string
	Kind       string
	State      string
	Attempts   int
	Fence      int64
	CreatedAt  time.Time
	DueAt      time.Time
	NotBefore  time.Time
	Deadline   time.Time
	AcceptedAt *time.Time
	Error      string
}

func (r deliveryRow) delivery() delivery.Delivery {
	return delivery.Delivery{
		ID: r.ID.String(), Incident: r.IncidentID.String(), Cycle: r.Cycle, Level: r.Level, Target: r.Target, Channel: r.Channel,
		Kind: delivery.Kind(r.Kind), State: delivery.State(r.State), Attempts: r.Attempts, Fence: r.Fence,
		CreatedAt: r.CreatedAt.UTC(), DueAt: r.DueAt.UTC(), NotBefore: r.NotBefore.UTC(), Deadline: r.Deadline.UTC(),
		Accepted: value(r.AcceptedAt), Error: r.Error,
	}
}

// ClaimDelivery leases the most urgent delivery that may be tried now, and begins its attempt; false = none. Once tx is
// durable, the caller alone may call the provider, until the lease ends.
func (s *Store) ClaimDelivery(ctx context.Context, tx *pg.Tx) (delivery.Delivery, bool, error) {
	rows, err := tx.Query(ctx, query("claim_delivery"), tx.Now, tx.Now.Add(delivery.Lease))
	row, err := pg.One[deliveryRow](rows, err)
	if pg.NoRows(err) {
		return delivery.Delivery{}, false, nil
	}
	if err == nil {
		_, err = tx.Exec(ctx, query("close_attempts"), row.ID, row.Attempts, tx.Now)
	}
	if err == nil {
		_, err = tx.Exec(ctx, query("begin_attempt"), row.ID, row.Attempts, tx.Now)
	}
	if err != nil {
		return delivery.Delivery{}, false, fmt.Errorf("claim delivery: %w", err)
	}
	return row.delivery(), true, nil
}

// FinishDelivery keeps what came of d's attempt. Under an old fence the attempt alone is noted: somebody else has the
// delivery. It returns the delivery's state afterwards.
func (s *Store) FinishDelivery(ctx context.Context, tx *pg.Tx, d delivery.Delivery, v delivery.Verdict, text string) (delivery.State, error) {
	_, err := tx.Exec(ctx, query("end_attempt"), d.ID, d.Attempts, tx.Now, string(v.Outcome), text)
	if err != nil {
		return "", fmt.Errorf("end attempt: %w", err)
	}
	accepted := time.Time{}
	if v.State == delivery.Accepted {
		accepted = tx.Now
	}
	var state string
	err = tx.QueryRow(ctx, query("finish_delivery"), d.ID, d.Fence, string(v.State), null(v.NotBefore), tx.Now,
		null(accepted), text).Scan(&state)
	if pg.NoRows(err) {
		return d.State, nil
	}
	if err != nil {
		return "", fmt.Errorf("finish delivery: %w", err)
	}
	return delivery.State(state), nil
}

// LevelReached reports whether a page of the level was taken, or may still be.
func (s *Store) LevelReached(ctx context.Context, tx *pg.Tx, d delivery.Delivery) (reached bool, err error) {
	err = tx.QueryRow(ctx, query("level_reached"), d.Incident, d.Cycle, d.Level).Scan(&reached)
	if err != nil {
		return false, fmt.Errorf("look at the level's pages: %w", err)
	}
	return reached, nil
}

// maxListed bounds the deliveries that an incident is shown with.
const maxListed = 1000

// Deliveries lists an incident's deliveries in order.
func (s *Store) Deliveries(ctx context.Context, id string) ([]delivery.Delivery, error) {
	rows, err := s.pool.Query(ctx, query("list_deliveries"), id, maxListed)
	found, err := pg.All[deliveryRow](rows, err)
	if err != nil {
		return nil, fmt.Errorf("list deliveries: %w", err)
	}
	all := make([]delivery.Delivery, 0, len(found))
	for _, row := range found {
		all = append(all, row.delivery())
	}
	return all, nil
}
