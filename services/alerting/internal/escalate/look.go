package escalate

import (
	"context"
	"time"

	"github.com/naksha-cloud/naksha/pkg/pg"
	"github.com/naksha-cloud/naksha/services/alerting/internal/alert"
	"github.com/naksha-cloud/naksha/services/alerting/internal/incident"
	"github.com/naksha-cloud/naksha/services/alerting/internal/severity"
	"github.com/naksha-cloud/naksha/services/alerting/internal/silence"
)

// view is what is known of some groups in one transaction. The incidents are locked first, so that the alerts read
// after it are at least as new as what the incidents' last writers saw.
type view struct {
	open     map[string]incident.State
	firing   map[string][]alert.Alert
	silences []silence.Silence
}

func (d *Desk) look(ctx context.Context, tx *pg.Tx, groups []alert.Group) (v view, err error) {
	ids := make([]string, len(groups))
	for i, g := range groups {
		ids[i] = g.ID
	}
	if v.open, err = d.store.LockGroups(ctx, tx, ids); err != nil {
		return v, err
	}
	return v, d.lookAtAlerts(ctx, tx, ids, &v)
}

func (d *Desk) lookAtAlerts(ctx context.Context, tx *pg.Tx, ids []string, v *view) (err error) {
	if v.firing, err = d.store.FiringAlerts(ctx, tx, ids); err != nil {
		return err
	}
	v.silences, err = d.store.ActiveSilences(ctx, tx)
	return err
}

// see condenses a group's firing alerts; loud are those that no silence mutes. Heartbeats (severity none) do not count.
func (d *Desk) see(v view, group string, now time.Time) (seen incident.Seen, loud []alert.Alert) {
	var mutedUntil time.Time
	for _, a := range v.firing[group] {
		if severity.Of(a.Labels["severity"]) == severity.None {
			continue
		}
		if _, muted := silence.Muting(v.silences, a.Labels, now); muted {
			mutedUntil = later(mutedUntil, a.EndsAt)
			continue
		}
		loud = append(loud, a)
		seen.Until = later(seen.Until, a.EndsAt)
	}
	if len(loud) == 0 {
		return incident.Seen{Firing: !mutedUntil.IsZero(), Muted: !mutedUntil.IsZero(), Until: mutedUntil}, nil
	}
	lead := leading(loud)
	seen.Firing, seen.Severity, seen.Area = true, severity.Of(lead.Labels["severity"]), lead.Labels["area"]
	seen.Title, seen.RunbookURL = lead.Title(), lead.Annotations["runbook_url"]
	seen.Plan = d.book.Plan(seen.Severity, seen.Area)
	return seen, loud
}

// leading is the most urgent alert, of equals the oldest: what an incident is called after.
func leading(alerts []alert.Alert) alert.Alert {
	lead := alerts[0]
	for _, a := range alerts[1:] {
		if severity.Of(a.Labels["severity"]).Over(severity.Of(lead.Labels["severity"])) {
			lead = a
		}
	}
	return lead
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
