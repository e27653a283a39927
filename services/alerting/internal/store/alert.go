package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/naksha-cloud/naksha/pkg/page"
	"github.com/naksha-cloud/naksha/pkg/pg"
	"github.com/naksha-cloud/naksha/services/alerting/internal/alert"
)

// alertRow is a row of alert.
type alertRow struct {
	Key          string
	GroupID      string
	Labels       map[string]string
	Annotations  map[string]string
	GeneratorURL string `db:"generator_url"`
	StartsAt     time.Time
	EndsAt       time.Time
	UpdatedAt    time.Time
	TimedOut     bool
	IncidentID   *uuid.UUID
}

func (r alertRow) alert() alert.Alert {
	a := alert.Alert{
		Labels: r.Labels, Annotations: r.Annotations, GeneratorURL: r.GeneratorURL, StartsAt: r.StartsAt.UTC(),
		EndsAt: r.EndsAt.UTC(), UpdatedAt: r.UpdatedAt.UTC(), Timeout: r.TimedOut,
	}
	if r.IncidentID != nil {
		a.Incident = r.IncidentID.String()
	}
	return a
}

// MergeAlerts merges alerts, each once and with the group that it belongs to, into what is known of them.
func (s *Store) MergeAlerts(ctx context.Context, tx *pg.Tx, alerts []alert.Alert, groups []string) error {
	fresh := columns{}
	byKey := map[string]int{}
	for i, a := range alerts {
		byKey[fresh.add(a, groups[i])] = i
	}
	rows, err := tx.Query(ctx, query("insert_alerts"), fresh.key, fresh.group, fresh.labels, fresh.annotations, fresh.url,
		fresh.starts, fresh.ends, fresh.updated, fresh.timedOut, tx.Now)
	inserted, err := pg.All[struct{ Key string }](rows, err)
	if err != nil {
		return fmt.Errorf("insert alerts: %w", err)
	}
	for _, row := range inserted {
		delete(byKey, row.Key)
	}
	if len(byKey) == 0 {
		return nil
	}
	return s.updateAlerts(ctx, tx, byKey, alerts, groups)
}

func (s *Store) updateAlerts(ctx context.Context, tx *pg.Tx, byKey map[string]int, alerts []alert.Alert, groups []string) error {
	known := make([]string, 0, len(byKey))
	for key := range byKey {
		known = append(known, key)
	}
	rows, err := tx.Query(ctx, query("lock_alerts"), known)
	found, err := pg.All[alertRow](rows, err)
	if err != nil {
		return fmt.Errorf("lock alerts: %w", err)
	}
	merged := columns{}
	for _, row := range found {
		i := byKey[row.Key]
		merged.add(alert.Merge(row.alert(), alerts[i]), groups[i])
	}
	_, err = tx.Exec(ctx, query("update_alerts"), merged.key, merged.group, merged.labels, merged.annotations, merged.url,
		merged.starts, merged.ends, merged.updated, merged.timedOut, merged.incident)
	if err != nil {
		return fmt.Errorf("update alerts: %w", err)
	}
	return nil
}

// columns are alerts as arrays: one statement takes a whole batch.
type columns struct {
	key, group, labels, annotations, url, incident []string
	starts, ends, updated                          []time.Time
	timedOut                                       []bool
}

func (c *columns) add(a alert.Alert, group string) (key string) {
	key = alert.Key(a.Labels)
	c.key, c.group = append(c.key, key), append(c.group, group)
	c.labels, c.annotations = append(c.labels, pairs(a.Labels)), append(c.annotations, pairs(a.Annotations))
	c.url, c.incident = append(c.url, a.GeneratorURL), append(c.incident, a.Incident)
	c.starts, c.ends, c.updated = append(c.starts, a.StartsAt), append(c.ends, a.EndsAt), append(c.updated, a.UpdatedAt)
	c.timedOut = append(c.timedOut, a.Timeout)
	return key
}

func pairs(m map[string]string) string {
	text, err := json.Marshal(m)
	if err != nil {
		panic("store: a map of strings does not marshal: " + err.Error())
	}
	return string(text)
}

// FiringAlerts are the alerts of groups that fire at the transaction's time, oldest first, by group.
func (s *Store) FiringAlerts(ctx context.Context, tx *pg.Tx, groups []string) (map[string][]alert.Alert, error) {
	rows, err := tx.Query(ctx, query("firing_in_groups"), groups, tx.Now)
	found, err := pg.All[alertRow](rows, err)
	if err != nil {
		return nil, fmt.Errorf("list firing alerts: %w", err)
	}
	firing := map[string][]alert.Alert{}
	for _, row := range found {
		firing[row.GroupID] = append(firing[row.GroupID], row.alert())
	}
	return firing, nil
}

// AllFiring are all alerts that fire at the transaction's time.
func (s *Store) AllFiring(ctx context.Context, tx *pg.Tx) ([]alert.Alert, error) {
	rows, err := tx.Query(ctx, query("firing"), tx.Now)
	return alerts(pg.All[alertRow](rows, err))
}

// Firing are all alerts that fire now.
func (s *Store) Firing(ctx context.Context) ([]alert.Alert, error) {
	rows, err := s.pool.Query(ctx, query("firing"), s.Now())
	return alerts(pg.All[alertRow](rows, err))
}

// IncidentAlerts are the alerts of an incident, oldest first, at most limit.
func (s *Store) IncidentAlerts(ctx context.Context, id string, limit int) ([]alert.Alert, error) {
	rows, err := s.pool.Query(ctx, query("incident_alerts"), id, limit)
	return alerts(pg.All[alertRow](rows, err))
}

func alerts(rows []alertRow, err error) ([]alert.Alert, error) {
	if err != nil {
		return nil, fmt.Errorf("list alerts: %w", err)
	}
	all := make([]alert.Alert, 0, len(rows))
	for _, row := range rows {
		all = append(all, row.alert())
	}
	return all, nil
}

// Alerts lists alerts newest first, after a place in the list, each with CreatedAt.
func (s *Store) Alerts(ctx context.Context, after page.Cursor, limit int) ([]alert.Alert, error) {
	type listedRow struct {
		alertRow
		CreatedAt time.Time
	}
	rows, err := s.pool.Query(ctx, query("list_alerts"), null(after.Time), after.ID, limit)
	found, err := pg.All[listedRow](rows, err)
	if err != nil {
		return nil, fmt.Errorf("list alerts: %w", err)
	}
	all := make([]alert.Alert, 0, len(found))
	for _, row := range found {
		one := row.alert()
		one.CreatedAt = row.CreatedAt.UTC()
		all = append(all, one)
	}
	return all, nil
}

// AttachAlerts says which incident alerts belong to.
func (s *Store) AttachAlerts(ctx context.Context, tx *pg.Tx, incident string, keys []string) error {
	if _, err := tx.Exec(ctx, query("attach_alerts"), incident, keys); err != nil {
		return fmt.Errorf("attach alerts: %w", err)
	}
	return nil
}

// EndAlerts ends the firing alerts of a group: a person said that it is over.
func (s *Store) EndAlerts(ctx context.Context, tx *pg.Tx, group string) error {
	if _, err := tx.Exec(ctx, query("end_alerts"), group, tx.Now); err != nil {
		return fmt.Errorf("end alerts: %w", err)
	}
	return nil
}

// Forget deletes alerts and silences that ended before a moment, at most limit alerts; it returns how many.
func (s *Store) Forget(ctx context.Context, before time.Time, limit int) (int64, error) {
	tag, err := s.pool.Exec(ctx, query("forget_alerts"), before, limit)
	if err != nil {
		return 0, fmt.Errorf("forget alerts: %w", err)
	}
	if _, err := s.pool.Exec(ctx, query("forget_silences"), before); err != nil {
		return 0, fmt.Errorf("forget silences: %w", err)
	}
	return tag.RowsAffected(), nil
}
