// Package channel is what every way of telling somebody has in common: the message, and how a failure is told apart. The
// ways themselves are packages below; a new one passes the conformance suite channeltest.
package channel

import (
	"context"
	"errors"
	"time"

	"github.com/naksha-cloud/naksha/services/alerting/internal/policy"
)

// Channel tells one target.
type Channel interface {
	// Name is the channel's name in policies.
	Name() string
	// Send calls the provider once, within ctx's deadline. nil = the provider took it. A *Failure says whether trying
	// again can help; any other error counts as temporary, since the call may or may not have happened.
	Send(ctx context.Context, to policy.Address, m Message) error
}

// Failure is a provider's refusal.
type Failure struct {
	Permanent  bool          // trying again cannot help
	RetryAfter time.Duration // the provider's wish; 0 = none
	Why        string        // one sentence; never a secret
}

// Error is the reason.
func (f *Failure) Error() string { return f.Why }

// Permanent reports whether err says that trying again cannot help.
func Permanent(err error) bool {
	var f *Failure
	return errors.As(err, &f) && f.Permanent
}

// RetryAfter is the provider's wish in err; 0 = none.
func RetryAfter(err error) time.Duration {
	var f *Failure
	if errors.As(err, &f) {
		return f.RetryAfter
	}
	return 0
}

// Message is what is told.
type Message struct {
	ID       string // the delivery's: the same on every try
	Kind     string // page, acknowledged, resolved
	Target   string
	Cycle    int           // of the escalation, 1 = first
	Level    int           // 1 = first; 0 = a notice
	Late     time.Duration // after the moment that the level was due
	Created  time.Time     // when it was decided to tell
	Incident Incident
	Alerts   []Alert // of the incident, oldest first, at most MaxAlerts
}

// MaxAlerts bounds the alerts of a message.
const MaxAlerts = 20

// Incident is what a message says of its incident.
type Incident struct {
	ID             string
	Severity       string // sev1 to sev4
	Status         string // triggered, acknowledged, resolved
	Title          string
	GroupKey       string
	RunbookURL     string
	OpenedAt       time.Time
	AcknowledgedBy string
	ResolvedBy     string
}

// Alert is what a message says of an alert.
type Alert struct {
	Labels       map[string]string
	Annotations  map[string]string
	StartsAt     time.Time
	Firing       bool
	GeneratorURL string
}
