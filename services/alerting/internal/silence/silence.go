// Package silence mutes alerts by their labels for a time: which alerts it matches, and when it holds. What muting means
// for an incident is decided in package incident.
package silence

import (
	"fmt"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/naksha-cloud/naksha/pkg/fault"
)

// Bounds of a silence.
const (
	maxMatchers = 32
	maxText     = 1023 // bytes of a name or value
	maxComment  = 1023 // bytes
)

// Silence mutes the alerts that all its matchers match, from StartsAt until EndsAt.
type Silence struct {
	ID        string
	Matchers  []Matcher
	StartsAt  time.Time
	EndsAt    time.Time
	CreatedAt time.Time
	UpdatedAt time.Time
	CreatedBy string
	Comment   string
}

// State is where a silence is in its life.
type State string

// The states, in Alertmanager's words.
const (
	Pending State = "pending"
	Active  State = "active"
	Expired State = "expired"
)

// StateAt is the state at a moment.
func (s Silence) StateAt(now time.Time) State {
	switch {
	case !s.EndsAt.After(now):
		return Expired
	case s.StartsAt.After(now):
		return Pending
	default:
		return Active
	}
}

// Matches reports whether every matcher matches the labels.
func (s Silence) Matches(labels map[string]string) bool {
	for _, m := range s.Matchers {
		if !m.Matches(labels[m.Name]) {
			return false
		}
	}
	return len(s.Matchers) > 0
}

// Muting returns the first silence that is active now and matches the labels; false when there is none.
func Muting(all []Silence, labels map[string]string, now time.Time) (Silence, bool) {
	for _, s := range all {
		if s.StateAt(now) == Active && s.Matches(labels) {
			return s, true
		}
	}
	return Silence{}, false
}

// skew is how far the replicas' clocks may be apart: for so long after the end of a silence, one of them may still have
// taken it for active.
const skew = 5 * time.Second

// NextChange is the next moment after now at which incidents have to be looked at: when the silence begins, when it
// ends, and once more when every replica knows that it has. Zero = never.
func (s Silence) NextChange(now time.Time) time.Time {
	for _, at := range []time.Time{s.StartsAt, s.EndsAt, s.EndsAt.Add(skew)} {
		if at.After(now) {
			return at
		}
	}
	return time.Time{}
}

// Settle fills in a missing start, and refuses what cannot be a silence.
func (s Silence) Settle(now time.Time) (Silence, error) {
	if s.StartsAt.IsZero() || s.StartsAt.Before(now) {
		s.StartsAt = now
	}
	s.StartsAt, s.EndsAt = s.StartsAt.UTC().Truncate(time.Microsecond), s.EndsAt.UTC().Truncate(time.Microsecond)
	if err := s.check(now); err != nil {
		return Silence{}, err
	}
	for i := range s.Matchers {
		if err := s.Matchers[i].compile(); err != nil {
			return Silence{}, err
		}
	}
	return s, nil
}

func (s Silence) check(now time.Time) error {
	switch {
	case len(s.Matchers) == 0 || len(s.Matchers) > maxMatchers:
		return invalid("%d matchers: give 1 to %d", len(s.Matchers), maxMatchers)
	case !s.EndsAt.After(now):
		return invalid("the end must lie in the future")
	case !s.EndsAt.After(s.StartsAt):
		return invalid("the end must be after the start")
	case s.EndsAt.Year() > 9999:
		return invalid("the end must lie before the year 10000")
	case !text(s.Comment, maxComment):
		return invalid("the comment must be UTF-8 of at most %d bytes without NUL", maxComment)
	case !text(s.CreatedBy, maxText):
		return invalid("the creator must be UTF-8 of at most %d bytes without NUL", maxText)
	}
	for _, m := range s.Matchers {
		if m.Matches("") {
			continue
		}
		return nil
	}
	return invalid("at least one matcher must match no empty value, or the silence would mute everything")
}

// Matcher compares one label. An absent label has the empty value.
type Matcher struct {
	Name   string `json:"name"`
	Value  string `json:"value"`
	Regex  bool   `json:"regex,omitempty"`  // Value is a regular expression (RE2) for the whole value
	Negate bool   `json:"negate,omitempty"` // match when the comparison fails

	pattern *regexp.Regexp
}

// Matches reports whether the matcher matches a value.
func (m Matcher) Matches(value string) bool {
	if !m.Regex {
		return (m.Value == value) != m.Negate
	}
	if m.pattern == nil && m.compile() != nil {
		return false
	}
	return m.pattern.MatchString(value) != m.Negate
}

// compile checks the matcher and keeps its expression.
func (m *Matcher) compile() error {
	if m.Name == "" || !text(m.Name, maxText) || !text(m.Value, maxText) {
		return invalid("a matcher needs a label name and a value, UTF-8 of at most %d bytes without NUL", maxText)
	}
	if !m.Regex {
		return nil
	}
	pattern, err := regexp.Compile("^(?s:" + m.Value + ")$")
	if err != nil {
		return invalid("matcher %s: the regular expression is malformed: %v", m.Name, err)
	}
	m.pattern = pattern
	return nil
}

// String is the matcher as Alertmanager writes it.
func (m Matcher) String() string {
	operator := map[[2]bool]string{{false, false}: "=", {false, true}: "!=", {true, false}: "=~", {true, true}: "!~"}
	return fmt.Sprintf("%s%s%q", m.Name, operator[[2]bool{m.Regex, m.Negate}], m.Value)
}

func text(s string, limit int) bool {
	return len(s) <= limit && utf8.ValidString(s) && !strings.ContainsRune(s, 0)
}

func invalid(message string, args ...any) error {
	return fault.Invalid("SILENCE_INVALID", "The silence is not valid: "+message+".", args...).
		WithRemedy("Correct it and send it again.")
}
