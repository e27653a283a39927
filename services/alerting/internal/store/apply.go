package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/naksha-cloud/naksha/pkg/pg"
	"github.com/naksha-cloud/naksha/services/alerting/internal/delivery"
	"github.com/naksha-cloud/naksha/services/alerting/internal/incident"
)

// Open inserts a new incident with its effects; false when another transaction opened one for the group before.
func (s *Store) Open(ctx context.Context, tx *pg.Tx, state incident.State, effects []incident.Effect) (bool, error) {
	plan, err := json.Marshal(state.Plan)
	if err != nil {
		return false, fmt.Errorf("write plan: %w", err)
	}
	tag, err := tx.Exec(ctx, query("open_incident"), state.ID, state.GroupID, state.GroupKey, int(state.Severity), state.Area,
		state.Title, state.RunbookURL, string(state.Status), plan, state.OpenedAt, state.Cycle, state.CycleAt, state.Level,
		null(state.ToldAt), state.Muted, null(state.QuietSince), null(state.Until), null(state.AckedAt), state.AckedBy,
		null(state.AckExpiresAt), null(state.ResolvedAt), state.ResolvedBy)
	if err != nil {
		return false, fmt.Errorf("open incident: %w", err)
	}
	if tag.RowsAffected() == 0 {
		return false, nil
	}
	return true, s.finish(ctx, tx, state, effects)
}

// Apply keeps an incident's next state, its effects and its timer, all in tx.
func (s *Store) Apply(ctx context.Context, tx *pg.Tx, state incident.State, effects []incident.Effect) error {
	plan, err := json.Marshal(state.Plan)
	if err != nil {
		return fmt.Errorf("write plan: %w", err)
	}
	_, err = tx.Exec(ctx, query("save_incident"), state.ID, int(state.Severity), state.Area, state.Title, state.RunbookURL,
		string(state.Status), plan, state.Cycle, state.CycleAt, state.Level, null(state.ToldAt), state.Muted,
		null(state.QuietSince), null(state.Until), null(state.AckedAt), state.AckedBy, null(state.AckExpiresAt),
		null(state.ResolvedAt), state.ResolvedBy)
	if err != nil {
		return fmt.Errorf("save incident %s: %w", state.ID, err)
	}
	return s.finish(ctx, tx, state, effects)
}

func (s *Store) finish(ctx context.Context, tx *pg.Tx, state incident.State, effects []incident.Effect) error {
	for _, effect := range effects {
		if err := s.do(ctx, tx, state, effect); err != nil {
			return fmt.Errorf("incident %s: %w", state.ID, err)
		}
	}
	return s.SetTimer(ctx, tx, state.ID, state.Wake())
}

// do carries out one effect; facts are the emitter's.
func (s *Store) do(ctx context.Context, tx *pg.Tx, state incident.State, effect incident.Effect) error {
	switch e := effect.(type) {
	case incident.Note:
		_, err := tx.Exec(ctx, query("add_note"), state.ID, tx.Now, e.Text)
		return err
	case incident.CancelPages:
		_, err := tx.Exec(ctx, query("cancel_pages"), state.ID)
		return err
	case incident.Page:
		for _, channel := range e.Channels {
			err := s.addDelivery(ctx, tx, state, delivery.Delivery{
				Cycle: e.Cycle, Level: e.Level, Target: e.Target, Channel: channel, Kind: delivery.Page, DueAt: e.DueAt,
			})
			if err != nil {
				return err
			}
		}
	case incident.TellPaged:
		return s.tellPaged(ctx, tx, state, delivery.Kind(e.Kind))
	}
	return nil
}

func (s *Store) tellPaged(ctx context.Context, tx *pg.Tx, state incident.State, kind delivery.Kind) error {
	rows, err := tx.Query(ctx, query("paged"), state.ID)
	paged, err := pg.All[struct{ Target, Channel string }](rows, err)
	if err != nil {
		return fmt.Errorf("list who was paged: %w", err)
	}
	for _, p := range paged {
		err := s.addDelivery(ctx, tx, state, delivery.Delivery{
			Cycle: state.Cycle, Target: p.Target, Channel: p.Channel, Kind: kind, DueAt: tx.Now,
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) addDelivery(ctx context.Context, tx *pg.Tx, state incident.State, d delivery.Delivery) error {
	id, err := newID()
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, query("add_delivery"), id, state.ID, d.Cycle, d.Level, d.Target, d.Channel, string(d.Kind),
		int(state.Severity), tx.Now, d.DueAt, tx.Now.Add(s.life))
	if err != nil {
		return fmt.Errorf("add delivery: %w", err)
	}
	return nil
}

// Note is a line of an incident's history.
type Note struct {
	At   time.Time
	Text string
}

// Notes is an incident's history in order.
func (s *Store) Notes(ctx context.Context, id string) ([]Note, error) {
	rows, err := s.pool.Query(ctx, query("list_notes"), id)
	notes, err := pg.All[Note](rows, err)
	if err != nil {
		return nil, fmt.Errorf("list notes: %w", err)
	}
	return notes, nil
}
