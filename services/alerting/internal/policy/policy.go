// Package policy is who is told about what, when, and how: one policy per severity, the on-call of each area, and the
// addresses of targets. It is data; the rules of time are in package calendar, and what is done with it in package
// incident.
package policy

import (
	"fmt"
	"time"

	"github.com/naksha-cloud/naksha/services/alerting/internal/calendar"
	"github.com/naksha-cloud/naksha/services/alerting/internal/severity"
)

// OnCall is the target that stands for the on-call of the alert's area.
const OnCall = "oncall"

// Rule says what a level waits for.
type Rule string

// The rules.
const (
	After           Rule = "after"             // a time after the escalation began
	BusinessHours   Rule = "business_hours"    // the beginning, or the next opening
	NextBusinessDay Rule = "next_business_day" // the opening of the working day after the level before
)

// When is the moment at which a level is told.
type When struct {
	Rule  Rule          `json:"rule"`
	After time.Duration `json:"after,omitempty"` // of Rule After
}

// Level is one step of an escalation.
type Level struct {
	When     When     `json:"when"`
	Target   string   `json:"target"`
	Channels []string `json:"channels"` // by which it is told; in a Plan only those that reach it, maybe none
}

// Policy is the escalation of one severity.
type Policy struct {
	Levels      []Level
	AckTimeout  time.Duration // an acknowledgement holds so long; 0 = for ever
	RepeatAfter time.Duration // after the last level the escalation begins anew; 0 = never
}

// Target is somebody who can be told.
type Target struct {
	Email   string // address; empty = none
	Webhook Hook   // empty URL = none
}

// Hook is the address of a webhook.
type Hook struct {
	URL    string
	Secret Secret // `whsec_…` (Standard Webhooks)
}

// Secret shows itself to nobody but Reveal.
type Secret string

// Reveal is the secret itself.
func (s Secret) Reveal() string { return string(s) }

// String says REDACTED.
func (s Secret) String() string { return "REDACTED" }

// GoString says REDACTED.
func (s Secret) GoString() string { return "REDACTED" }

// MarshalText says REDACTED.
func (s Secret) MarshalText() ([]byte, error) { return []byte("REDACTED"), nil }

// Book is everything that is configured about whom to tell.
type Book struct {
	Policies    map[severity.Severity]Policy
	Areas       map[string]string // label `area` to target
	DefaultArea string            // target of every other area
	Targets     map[string]Target
	Calendar    calendar.Calendar
	ResolveHold time.Duration   // how long all alerts must have ended before an incident ends
	Hook        Hook            // of targets without one of their own; empty URL = none
	Channels    map[string]bool // that this service can send by
}

// OnCallOf is the target on call for an area.
func (b Book) OnCallOf(area string) string {
	if target, ok := b.Areas[area]; ok {
		return target
	}
	return b.DefaultArea
}

// Plan is the policy for one incident, with the on-call named and each level's channels cut to those that reach its
// target. An incident keeps the plan that it was opened with: a change of configuration does not bend a running
// escalation.
func (b Book) Plan(s severity.Severity, area string) Plan {
	policy := b.Policies[s]
	plan := Plan{
		AckTimeout: policy.AckTimeout, RepeatAfter: policy.RepeatAfter, ResolveHold: b.ResolveHold, Calendar: b.Calendar,
	}
	for _, level := range policy.Levels {
		if level.Target == OnCall {
			level.Target = b.OnCallOf(area)
		}
		var reached []string
		for _, channel := range level.Channels {
			if _, ok := b.Address(level.Target, channel); ok {
				reached = append(reached, channel)
			}
		}
		level.Channels = reached
		plan.Levels = append(plan.Levels, level)
	}
	return plan
}

// Validate says what in the book cannot work.
func (b Book) Validate() error {
	for _, s := range severity.All() {
		if len(b.Policies[s].Levels) == 0 {
			return fmt.Errorf("policy %s has no levels: give at least one", s)
		}
		for i, level := range b.Policies[s].Levels {
			if err := b.checkLevel(level); err != nil {
				return fmt.Errorf("policy %s, level %d: %w", s, i+1, err)
			}
		}
	}
	for area, target := range b.Areas {
		if _, ok := b.Targets[target]; !ok {
			return fmt.Errorf("area %s: target %q is not among the targets", area, target)
		}
	}
	if _, ok := b.Targets[b.DefaultArea]; !ok {
		return fmt.Errorf("areas.default: target %q is not among the targets", b.DefaultArea)
	}
	return b.Calendar.Validate()
}

func (b Book) checkLevel(l Level) error {
	if _, ok := b.Targets[l.Target]; !ok && l.Target != OnCall {
		return fmt.Errorf("target %q is not among the targets", l.Target)
	}
	if len(l.Channels) == 0 {
		return fmt.Errorf("no channels: give email, webhook or both")
	}
	for _, channel := range l.Channels {
		if channel != Email && channel != Webhook {
			return fmt.Errorf("channel %q is unknown: give email or webhook", channel)
		}
	}
	return nil
}
