package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/naksha-cloud/naksha/pkg/fault"
	"github.com/naksha-cloud/naksha/pkg/page"
	"github.com/naksha-cloud/naksha/pkg/pg"
	"github.com/naksha-cloud/naksha/services/alerting/internal/incident"
	"github.com/naksha-cloud/naksha/services/alerting/internal/severity"
)

// incidentRow is a row of incident.
type incidentRow struct {
	ID           uuid.UUID
	GroupID      string
	GroupKey     string
	Severity     int
	Area         string
	Title        string
	RunbookURL   string `db:"runbook_url"`
	Status       string
	Plan         []byte
	OpenedAt     time.Time
	Cycle        int
	CycleAt      time.Time
	Level        int
	ToldAt       *time.Time
	Muted        bool
	QuietSince   *time.Time
	UntilAt      *time.Time
	AckedAt      *time.Time
	AckedBy      string
	AckExpiresAt *time.Time
	ResolvedAt   *time.Time
	ResolvedBy   string
}

func (r incidentRow) state() (incident.State, error) {
	s := incident.State{
		ID: r.ID.String(), GroupID: r.GroupID, GroupKey: r.GroupKey, Severity: severity.Severity(r.Severity), Area: r.Area,
		Title: r.Title, RunbookURL: r.RunbookURL, Status: incident.Status(r.Status), OpenedAt: r.OpenedAt.UTC(),
		Cycle: r.Cycle, CycleAt: r.CycleAt.UTC(), Level: r.Level, ToldAt: value(r.ToldAt), Muted: r.Muted,
		QuietSince: value(r.QuietSince), Until: value(r.UntilAt), AckedAt: value(r.AckedAt), AckedBy: r.AckedBy,
		AckExpiresAt: value(r.AckExpiresAt), ResolvedAt: value(r.ResolvedAt), ResolvedBy: r.ResolvedBy,
	}
	if err := json.Unmarshal(r.Plan, &s.Plan); err != nil {
		return incident.State{}, fmt.Errorf("read plan of incident %s: %w", s.ID, err)
	}
	return s, nil
}

func states(rows []incidentRow) ([]incident.State, error) {
	all := make([]incident.State, 0, len(rows))
	for _, row := range rows {
		s, err := row.state()
		if err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	return all, nil
}

// LockGroups locks the open incidents of groups, and returns them by group.
func (s *Store) LockGroups(ctx context.Context, tx *pg.Tx, groups []string) (map[string]incident.State, error) {
	rows, err := tx.Query(ctx, query("lock_groups"), groups)
	found, err := pg.All[incidentRow](rows, err)
	if err != nil {
		return nil, fmt.Errorf("lock incidents: %w", err)
	}
	all, err := states(found)
	if err != nil {
		return nil, err
	}
	open := map[string]incident.State{}
	for _, state := range all {
		open[state.GroupID] = state
	}
	return open, nil
}

// LockIncident locks one incident; INCIDENT_NOT_FOUND when there is none.
func (s *Store) LockIncident(ctx context.Context, tx *pg.Tx, id string) (incident.State, error) {
	rows, err := tx.Query(ctx, query("lock_incident"), id)
	return oneState(pg.One[incidentRow](rows, err))
}

// Incident reads one incident; INCIDENT_NOT_FOUND when there is none.
func (s *Store) Incident(ctx context.Context, id string) (incident.State, error) {
	rows, err := s.pool.Query(ctx, query("get_incident"), id)
	return oneState(pg.One[incidentRow](rows, err))
}

func oneState(row incidentRow, err error) (incident.State, error) {
	if pg.NoRows(err) || pg.SQLState(err) == invalidText {
		return incident.State{}, fault.NotFound("INCIDENT_NOT_FOUND", "There is no such incident.").
			WithRemedy("List the incidents to see their names.")
	}
	if err != nil {
		return incident.State{}, fmt.Errorf("read incident: %w", err)
	}
	return row.state()
}

// invalidText is Postgres' code for a text that is no uuid.
const invalidText = "22P02"

// ClaimDue locks the open incident whose timer is due the longest and that no other replica holds; false = none.
func (s *Store) ClaimDue(ctx context.Context, tx *pg.Tx) (incident.State, bool, error) {
	rows, err := tx.Query(ctx, query("claim_due"), tx.Now)
	row, err := pg.One[incidentRow](rows, err)
	if pg.NoRows(err) {
		return incident.State{}, false, nil
	}
	if err != nil {
		return incident.State{}, false, fmt.Errorf("claim timer: %w", err)
	}
	state, err := row.state()
	return state, true, err
}

// NextTimer is when the earliest timer is due; zero = there is none.
func (s *Store) NextTimer(ctx context.Context) (time.Time, error) { return s.next(ctx, "next_timer") }

// NextSilence is when a silence next begins or ends; zero = never.
func (s *Store) NextSilence(ctx context.Context) (time.Time, error) {
	return s.next(ctx, "next_silence")
}

// NextDelivery is when a delivery can next be claimed; zero = none waits.
func (s *Store) NextDelivery(ctx context.Context) (time.Time, error) {
	return s.next(ctx, "next_delivery")
}

func (s *Store) next(ctx context.Context, name string) (time.Time, error) {
	var at *time.Time
	if err := s.pool.QueryRow(ctx, query(name)).Scan(&at); err != nil {
		return time.Time{}, fmt.Errorf("read %s: %w", name, err)
	}
	return value(at), nil
}

// SetTimer sets when an incident has to be looked at next; zero = not any more.
func (s *Store) SetTimer(ctx context.Context, tx *pg.Tx, id string, due time.Time) (err error) {
	if due.IsZero() {
		_, err = tx.Exec(ctx, query("drop_timer"), id)
	} else {
		_, err = tx.Exec(ctx, query("set_timer"), id, due)
	}
	if err != nil {
		return fmt.Errorf("set timer of incident %s: %w", id, err)
	}
	return nil
}

// Incidents lists incidents newest first: those of a status (empty = all) after a place in the list (zero = from the
// first).
func (s *Store) Incidents(ctx context.Context, status incident.Status, after page.Cursor, limit int) ([]incident.State, error) {
	rows, err := s.pool.Query(ctx, query("list_incidents"), string(status), null(after.Time), nullText(after.ID), limit)
	found, err := pg.All[incidentRow](rows, err)
	if err != nil {
		return nil, fmt.Errorf("list incidents: %w", err)
	}
	return states(found)
}
