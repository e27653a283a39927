package policy

import (
	"time"

	"github.com/naksha-cloud/naksha/services/alerting/internal/calendar"
)

// Plan is one incident's own copy of its policy.
type Plan struct {
	Levels      []Level           `json:"levels"`
	AckTimeout  time.Duration     `json:"ack_timeout"`
	RepeatAfter time.Duration     `json:"repeat_after"`
	ResolveHold time.Duration     `json:"resolve_hold"`
	Calendar    calendar.Calendar `json:"calendar"`
}

// Schedule is when each level is due, for an escalation that began at a moment. Each is counted from the beginning, so
// that lateness never adds up; a level is never due before the one before it.
func (p Plan) Schedule(begin time.Time) []time.Time {
	dues := make([]time.Time, 0, len(p.Levels))
	previous := begin
	for _, level := range p.Levels {
		due := p.due(level.When, begin, previous)
		if due.Before(previous) {
			due = previous
		}
		dues = append(dues, due)
		previous = due
	}
	return dues
}

func (p Plan) due(w When, begin, previous time.Time) time.Time {
	switch w.Rule {
	case BusinessHours:
		return p.Calendar.NextOpen(begin)
	case NextBusinessDay:
		return p.Calendar.NextDayOpen(previous)
	default:
		return begin.Add(w.After)
	}
}
