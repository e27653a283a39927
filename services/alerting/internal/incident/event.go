package incident

import (
	"fmt"
	"time"
)

// Event is something that happened to an incident.
type Event interface{ apply(m *machine) }

// Observe says what the alerts look like now: after a post, a silence, or because a timer fired.
type Observe struct{ Seen Seen }

// Acknowledge says that somebody works on it. Repeated, it changes nothing.
type Acknowledge struct{ By string }

// Resolve says that somebody declares it over.
type Resolve struct{ By string }

// Unreached says that every page of a level was given up.
type Unreached struct {
	Cycle int
	Level int
}

func (e Observe) apply(m *machine) {
	m.Until = e.Seen.Until
	if !e.Seen.Firing {
		if m.QuietSince.IsZero() {
			m.QuietSince = m.now
		}
		return
	}
	m.QuietSince = time.Time{}
	switch {
	case e.Seen.Muted:
		m.mute()
	case e.Seen.Severity.Over(m.Severity):
		m.raise(e.Seen)
	case m.Muted:
		m.unmute()
	}
}

// mute stops further pages; those that wait are withdrawn.
func (m *machine) mute() {
	if !m.Muted {
		m.Muted = true
		m.note("silenced: nobody is told until the silence ends")
		m.add(CancelPages{})
	}
}

// unmute begins the escalation anew: the time under the silence must not bring all levels at once.
func (m *machine) unmute() {
	m.Muted = false
	m.note("the silence ended and the alerts still fire")
	if m.Status == Triggered {
		m.restart()
	}
}

// raise begins the higher policy now, also for an incident that somebody acknowledged: they took on something smaller.
func (m *machine) raise(seen Seen) {
	m.note(fmt.Sprintf("severity raised from %s to %s", m.Severity, seen.Severity))
	m.Severity, m.Plan, m.Title, m.Area, m.Muted = seen.Severity, seen.Plan, seen.Title, seen.Area, false
	if seen.RunbookURL != "" {
		m.RunbookURL = seen.RunbookURL
	}
	m.add(CancelPages{})
	m.restart()
}

func (e Acknowledge) apply(m *machine) {
	if m.Status == Acknowledged {
		return
	}
	m.Status, m.AckedAt, m.AckedBy = Acknowledged, m.now, e.By
	if m.Plan.AckTimeout > 0 {
		m.AckExpiresAt = m.now.Add(m.Plan.AckTimeout)
	}
	m.note("acknowledged by " + e.By)
	m.add(CancelPages{}, TellPaged{Kind: KindAcknowledged}, WasAcknowledged{Incident: m.ID, By: e.By})
}

func (e Resolve) apply(m *machine) { m.resolve(e.By) }

func (e Unreached) apply(m *machine) {
	if m.Status != Triggered || e.Cycle != m.Cycle || e.Level != m.Level {
		return // the escalation has moved on
	}
	m.note(fmt.Sprintf("level %d was reached by no channel; the next is told at once", e.Level))
	m.skip = true
}
