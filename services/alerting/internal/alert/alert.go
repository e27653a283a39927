// Package alert is one observed condition, identified by its labels: what a post of it must hold, how posts of the same
// condition merge, and which group it belongs to. The rules are those of Alertmanager's API v2, so that a Prometheus can
// point at us. It refuses nothing that Prometheus sends, and everything that a database could not keep.
package alert

import (
	"maps"
	"time"
)

// ResolveTimeout is how long an alert fires after a post that names no end.
const ResolveTimeout = 5 * time.Minute

// Post is an alert as somebody sent it; times may be missing.
type Post struct {
	Labels       map[string]string
	Annotations  map[string]string
	StartsAt     time.Time // zero = now, or EndsAt where that is given
	EndsAt       time.Time // zero = now + resolve time-out; not after now = resolved
	GeneratorURL string
}

// Alert is a condition with its times settled.
type Alert struct {
	Labels       map[string]string
	Annotations  map[string]string
	StartsAt     time.Time
	EndsAt       time.Time
	UpdatedAt    time.Time // when the newest post arrived
	Timeout      bool      // EndsAt was not said by the sender
	GeneratorURL string
	CreatedAt    time.Time // when the first post arrived; set in lists
	Incident     string    // id of the incident that it belongs to; empty = none
}

// Firing reports whether the condition holds at a moment.
func (a Alert) Firing(at time.Time) bool { return a.EndsAt.After(at) }

// Name is the label `alertname`, or a word for its absence.
func (a Alert) Name() string {
	if name := a.Labels["alertname"]; name != "" {
		return name
	}
	return "(unnamed)"
}

// Title is one line for people: the summary, else the name with where it is.
func (a Alert) Title() string {
	if summary := line(a.Annotations["summary"]); summary != "" {
		return clip(summary, maxTitle)
	}
	title := a.Name()
	for _, label := range []string{"job", "instance", "workspace"} {
		if v := a.Labels[label]; v != "" {
			title += " " + v
			break
		}
	}
	return clip(line(title), maxTitle)
}

// maxTitle bounds a title, in bytes: mail subjects and chat messages show no more.
const maxTitle = 200

// Settle makes an Alert of a post that arrived now, or says why it cannot.
func (p Post) Settle(now time.Time, resolveTimeout time.Duration) (Alert, error) {
	a := Alert{
		Labels: withoutEmpty(p.Labels), Annotations: withoutEmpty(p.Annotations), GeneratorURL: p.GeneratorURL,
		StartsAt: p.StartsAt, EndsAt: p.EndsAt, UpdatedAt: now,
	}
	if a.StartsAt.IsZero() {
		a.StartsAt = now
		if !a.EndsAt.IsZero() {
			a.StartsAt = a.EndsAt
		}
	}
	if a.EndsAt.IsZero() {
		a.Timeout, a.EndsAt = true, now.Add(resolveTimeout)
	}
	a.StartsAt, a.EndsAt = inMicros(a.StartsAt), inMicros(a.EndsAt)
	return a, a.check()
}

// withoutEmpty drops pairs without a value: Prometheus takes an empty label for an absent one.
func withoutEmpty(pairs map[string]string) map[string]string {
	kept := maps.Clone(pairs)
	maps.DeleteFunc(kept, func(_, v string) bool { return v == "" })
	if kept == nil {
		kept = map[string]string{}
	}
	return kept
}

// inMicros is t as Postgres keeps it.
func inMicros(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }
