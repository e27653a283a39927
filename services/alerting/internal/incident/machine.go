package incident

import (
	"fmt"
	"slices"
	"time"
)

// machine is one Step at work.
type machine struct {
	State
	now     time.Time
	skip    bool // the next level is due now, whatever its time
	effects []Effect
}

func (m *machine) add(effects ...Effect) { m.effects = append(m.effects, effects...) }

func (m *machine) note(text string) { m.add(Note{Text: text}) }

// advance does everything that is due by now. While no alert fires, nobody is told: within the hold the incident either
// ends or goes on where it was.
func (m *machine) advance() {
	if m.Status == Resolved {
		return
	}
	if !m.QuietSince.IsZero() {
		if !m.now.Before(m.QuietSince.Add(m.Plan.ResolveHold)) {
			m.resolve("")
		}
		return
	}
	if m.Status == Acknowledged && !m.AckExpiresAt.IsZero() && !m.now.Before(m.AckExpiresAt) {
		m.note("the acknowledgement of " + m.AckedBy + " expired")
		m.restart()
	}
	if m.Status == Triggered && !m.Muted {
		m.repeat()
		m.tell()
	}
}

// repeat begins a new cycle when the last level was told long enough ago.
func (m *machine) repeat() {
	done := m.Level >= len(m.Plan.Levels)
	if done && m.Plan.RepeatAfter > 0 && !m.ToldAt.IsZero() && !m.now.Before(m.ToldAt.Add(m.Plan.RepeatAfter)) {
		m.note("nobody acknowledged; the escalation begins anew")
		m.add(CancelPages{})
		m.restart()
	}
}

// tell tells every level that is due, in one pass: after a long downtime each target gets one message, not one per
// level that was missed.
func (m *machine) tell() {
	paged := map[string][]string{} // target to channels, in this pass
	for due := m.Plan.Schedule(m.CycleAt); m.Level < len(m.Plan.Levels); {
		if !m.skip && due[m.Level].After(m.now) {
			return
		}
		m.skip = m.page(due[m.Level], paged)
	}
}

// page tells the next level. It returns true when nobody can be reached there, so that the one after is due now.
func (m *machine) page(due time.Time, paged map[string][]string) (unreachable bool) {
	level := m.Plan.Levels[m.Level]
	m.Level++
	m.ToldAt = m.now
	if m.Level > 1 || m.Cycle > 1 {
		m.add(Escalated{Incident: m.ID, Level: m.Level})
	}
	if len(level.Channels) == 0 {
		m.note(fmt.Sprintf("level %d: %s has no channel that is set up; the next is told at once", m.Level, level.Target))
		return true
	}
	var fresh []string
	for _, channel := range level.Channels {
		if !slices.Contains(paged[level.Target], channel) {
			fresh = append(fresh, channel)
		}
	}
	paged[level.Target] = append(paged[level.Target], fresh...)
	if len(fresh) > 0 {
		m.add(Page{Cycle: m.Cycle, Level: m.Level, Target: level.Target, Channels: fresh, DueAt: due})
	}
	return false
}

// restart begins the escalation at its first level.
func (m *machine) restart() {
	m.Status, m.Cycle, m.CycleAt, m.Level, m.ToldAt = Triggered, m.Cycle+1, m.now, 0, time.Time{}
	m.AckedAt, m.AckedBy, m.AckExpiresAt = time.Time{}, "", time.Time{}
}

func (m *machine) resolve(by string) {
	m.Status, m.ResolvedAt, m.ResolvedBy = Resolved, m.now, by
	if by == "" {
		m.note("resolved: no alert fires any more")
	} else {
		m.note("resolved by " + by)
	}
	m.add(CancelPages{}, TellPaged{Kind: KindResolved}, WasResolved{Incident: m.ID, At: m.now})
}
