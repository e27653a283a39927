// Package incident is the pure core of alerting: Step takes an incident's state, an event and the time, and returns the
// next state and what has to be done. It owns every rule of escalation, acknowledgement, muting and resolution. It
// refuses to do anything itself: no clock, no database, no message.
package incident

import (
	"time"

	"github.com/naksha-cloud/naksha/pkg/fault"
	"github.com/naksha-cloud/naksha/services/alerting/internal/policy"
	"github.com/naksha-cloud/naksha/services/alerting/internal/severity"
)

// Status is where an incident is in its life.
type Status string

// The statuses.
const (
	Triggered    Status = "triggered"    // people are being told, level by level
	Acknowledged Status = "acknowledged" // somebody works on it
	Resolved     Status = "resolved"     // over; nothing changes any more
)

// State is one incident, from its first alert to its resolution.
type State struct {
	ID         string
	GroupID    string // identity of the alerts' group: one open incident per group
	GroupKey   string // the group, readable
	Severity   severity.Severity
	Area       string
	Title      string
	RunbookURL string
	Status     Status
	Plan       policy.Plan
	OpenedAt   time.Time

	Cycle   int       // 1 = the first escalation; each restart is the next
	CycleAt time.Time // when the cycle began: levels are due counted from here
	Level   int       // levels told in this cycle; 0 = none yet
	ToldAt  time.Time // when the newest of them was; zero = none

	Muted      bool      // every firing alert is silenced: nobody is told
	QuietSince time.Time // since when no alert fires; zero = one does
	Until      time.Time // when the newest known firing alert ends; zero = none fires

	AckedAt      time.Time // zero = not acknowledged
	AckedBy      string
	AckExpiresAt time.Time // zero = never
	ResolvedAt   time.Time // zero = open
	ResolvedBy   string    // empty = its alerts ended
}

// Seen is what the alerts of an incident's group look like at a moment.
type Seen struct {
	Firing     bool      // at least one alert fires, silenced or not
	Muted      bool      // all that fire are silenced
	Until      time.Time // when the last of those that count ends; the view is stale then
	Severity   severity.Severity
	Area       string
	Title      string
	RunbookURL string
	Plan       policy.Plan // for this severity and area
}

// Opens reports whether a view is reason to open an incident.
func (s Seen) Opens() bool { return s.Firing && !s.Muted && s.Severity != severity.None }

// Open makes the incident of a group whose alerts fire, and tells the levels that are due at once.
func Open(id, groupID, groupKey string, seen Seen, now time.Time) (State, []Effect) {
	m := machine{now: now, State: State{
		ID: id, GroupID: groupID, GroupKey: groupKey, Severity: seen.Severity, Area: seen.Area, Title: seen.Title,
		RunbookURL: seen.RunbookURL, Status: Triggered, Plan: seen.Plan, OpenedAt: now,
		Cycle: 1, CycleAt: now, Until: seen.Until,
	}}
	m.add(Opened{Incident: id, Severity: seen.Severity.String(), Title: seen.Title, At: now})
	m.advance()
	return m.State, m.effects
}

// Step is the whole behaviour of an incident. It is total: a resolved incident, or an event that says nothing new,
// gives the same state and no effects.
func Step(s State, e Event, now time.Time) (State, []Effect) {
	if s.Status == Resolved {
		return s, nil
	}
	m := machine{State: s, now: now}
	e.apply(&m)
	m.advance()
	return m.State, m.effects
}

// MayAcknowledge says why a person cannot take the incident on, or nil.
func (s State) MayAcknowledge() error {
	if s.Status != Resolved {
		return nil
	}
	return fault.Precondition("INCIDENT_RESOLVED", "The incident is resolved already.").
		WithRemedy("Nothing is left to do; if the condition comes back, a new incident opens.")
}

// Wake is the next moment at which something is due by itself; zero = never. After it, Step with a fresh Observe.
func (s State) Wake() time.Time {
	if s.Status == Resolved {
		return time.Time{}
	}
	if !s.QuietSince.IsZero() {
		return s.QuietSince.Add(s.Plan.ResolveHold)
	}
	return earliest(s.Until, s.AckExpiresAt, s.nextLevel())
}

// nextLevel is when the next level, or the repetition after the last, is due; zero = never.
func (s State) nextLevel() time.Time {
	switch {
	case s.Status != Triggered || s.Muted:
		return time.Time{}
	case s.Level < len(s.Plan.Levels):
		return s.Plan.Schedule(s.CycleAt)[s.Level]
	case s.Plan.RepeatAfter > 0 && !s.ToldAt.IsZero():
		return s.ToldAt.Add(s.Plan.RepeatAfter)
	}
	return time.Time{}
}

// Exhausted reports whether every level was told and nothing repeats: only a person or the alerts' end goes on.
func (s State) Exhausted() bool {
	return s.Level >= len(s.Plan.Levels) && s.Plan.RepeatAfter == 0
}

func earliest(times ...time.Time) (first time.Time) {
	for _, t := range times {
		if !t.IsZero() && (first.IsZero() || t.Before(first)) {
			first = t
		}
	}
	return first
}
