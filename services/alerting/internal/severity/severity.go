// Package severity is the urgency of an alert, one of four, and how other systems' words translate (DESIGN §10). It
// refuses to guess downwards: a word that nobody knows is sev2.
package severity

import "strings"

// Severity is an urgency; the lower, the more urgent.
type Severity int

// The severities, and None for what is recorded but wakes nobody.
const (
	Sev1 Severity = 1 // critical: a service is down
	Sev2 Severity = 2 // high: performance impact
	Sev3 Severity = 3 // medium: minor issues
	Sev4 Severity = 4 // low: informational
	None Severity = 5 // a heartbeat such as Prometheus' Watchdog: never opens an incident
)

// All are the severities that have a policy, most urgent first.
func All() []Severity { return []Severity{Sev1, Sev2, Sev3, Sev4} }

// Of reads the label `severity`: ours, or the words of other systems. Unknown and empty are Sev2.
func Of(label string) Severity {
	switch strings.ToLower(strings.TrimSpace(label)) {
	case "sev1", "critical":
		return Sev1
	case "sev3", "warning":
		return Sev3
	case "sev4", "info":
		return Sev4
	case "none":
		return None
	default:
		return Sev2
	}
}

// String is `sev1` to `sev4`, or `none`.
func (s Severity) String() string {
	if s < Sev1 || s > Sev4 {
		return "none"
	}
	return "sev" + string(rune('0'+int(s)))
}

// Over reports whether s is more urgent than other.
func (s Severity) Over(other Severity) bool { return s < other }
