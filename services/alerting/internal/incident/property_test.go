package incident_test

import (
	"fmt"
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/naksha-cloud/naksha/services/alerting/internal/calendar"
	"github.com/naksha-cloud/naksha/services/alerting/internal/incident"
	"github.com/naksha-cloud/naksha/services/alerting/internal/policy"
	"github.com/naksha-cloud/naksha/services/alerting/internal/severity"
)

// drawPlan draws any plan, unreachable levels and all.
func drawPlan(t *rapid.T) policy.Plan {
	p := policy.Plan{
		AckTimeout:  time.Duration(rapid.IntRange(0, 90).Draw(t, "ack timeout")) * time.Minute,
		RepeatAfter: time.Duration(rapid.IntRange(0, 30).Draw(t, "repeat")) * time.Minute,
		ResolveHold: time.Duration(rapid.IntRange(0, 5).Draw(t, "hold")) * time.Minute,
		Calendar:    calendar.Default(),
	}
	rules := []policy.Rule{policy.After, policy.After, policy.BusinessHours, policy.NextBusinessDay}
	for i := range rapid.IntRange(1, 5).Draw(t, "levels") {
		l := policy.Level{
			When: policy.When{
				Rule:  rapid.SampledFrom(rules).Draw(t, "rule"),
				After: time.Duration(rapid.IntRange(0, 120).Draw(t, "after")) * time.Minute,
			},
			Target: fmt.Sprint("t", rapid.IntRange(0, i).Draw(t, "target")),
		}
		if rapid.IntRange(0, 9).Draw(t, "reachable") > 0 {
			l.Channels = []string{policy.Email, policy.Webhook}[:rapid.IntRange(1, 2).Draw(t, "channels")]
		}
		p.Levels = append(p.Levels, l)
	}
	return p
}

func drawSeen(t *rapid.T, p policy.Plan, now time.Time) incident.Seen {
	seen := incident.Seen{Severity: severity.Severity(rapid.IntRange(1, 4).Draw(t, "severity")), Plan: p, Title: "x"}
	switch rapid.IntRange(0, 5).Draw(t, "view") {
	case 0:
		return incident.Seen{}
	case 1:
		seen.Muted = true
	}
	seen.Firing, seen.Until = true, now.Add(time.Duration(rapid.IntRange(1, 600).Draw(t, "until"))*time.Minute)
	return seen
}

func drawEvent(t *rapid.T, p policy.Plan, s incident.State, now time.Time) incident.Event {
	switch rapid.IntRange(0, 9).Draw(t, "event") {
	case 0:
		return incident.Acknowledge{By: "Ada"}
	case 1:
		if rapid.IntRange(0, 4).Draw(t, "really") == 0 {
			return incident.Resolve{By: "Ada"}
		}
		return incident.Acknowledge{By: "Bob"}
	case 2:
		return incident.Unreached{Cycle: s.Cycle, Level: rapid.IntRange(1, 5).Draw(t, "level")}
	default:
		return incident.Observe{Seen: drawSeen(t, p, now)}
	}
}

// unique is what the deliveries' unique key is made of.
type unique struct {
	cycle, level    int
	target, channel string
}

// world is what a run of any events has shown so far.
type world struct {
	paged map[unique]bool
	state incident.State
}

func (w *world) look(t *rapid.T, before incident.State, effects []incident.Effect, now time.Time) {
	perPass := map[string]bool{}
	for _, effect := range effects {
		page, ok := effect.(incident.Page)
		if !ok {
			continue
		}
		if w.state.Status != incident.Triggered || w.state.Muted || !w.state.QuietSince.IsZero() {
			t.Fatalf("paged %s while %+v", page.Target, w.state)
		}
		for _, channel := range page.Channels {
			key := unique{page.Cycle, page.Level, page.Target, channel}
			if w.paged[key] || perPass[page.Target+channel] {
				t.Fatalf("%v is paged twice", key)
			}
			w.paged[key], perPass[page.Target+channel] = true, true
		}
	}
	w.checkState(t, before, now)
}

func (w *world) checkState(t *rapid.T, before incident.State, now time.Time) {
	s := w.state
	switch {
	case before.Status == incident.Resolved && !reflect.DeepEqual(before, s):
		t.Fatalf("a resolved incident changed: %+v", s)
	case s.Cycle < before.Cycle || s.Level < 0 || s.Level > len(s.Plan.Levels):
		t.Fatalf("cycle %d, level %d", s.Cycle, s.Level)
	case s.Status == incident.Resolved && !s.Wake().IsZero():
		t.Fatalf("resolved, and wakes")
	}
}

// Whatever happens: nobody is paged twice for one level, nobody is paged while it is muted, quiet, acknowledged or over,
// an open incident always wakes again, and right after a look nothing is left that was due.
func TestAnyHistoryKeepsThePromises(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p, now := drawPlan(t), begin
		seen := incident.Seen{Firing: true, Severity: severity.Sev3, Plan: p, Until: now.Add(time.Hour)}
		w := world{paged: map[unique]bool{}}
		var effects []incident.Effect
		w.state, effects = incident.Open("i", "g", "{}", seen, now)
		w.look(t, incident.State{}, effects, now)
		for range rapid.IntRange(1, 60).Draw(t, "events") {
			now = now.Add(time.Duration(rapid.IntRange(0, 90).Draw(t, "minutes")) * time.Minute)
			event, before := drawEvent(t, p, w.state, now), w.state
			w.state, effects = incident.Step(before, event, now)
			w.look(t, before, effects, now)
			again, none := incident.Step(before, event, now)
			if !reflect.DeepEqual(again, w.state) || !reflect.DeepEqual(none, effects) {
				t.Fatal("the same step gave two results")
			}
			if _, looked := event.(incident.Observe); looked && w.state.Status != incident.Resolved {
				if wake := w.state.Wake(); wake.IsZero() || !wake.After(now) {
					t.Fatalf("after a look at %v it wakes at %v: %+v", now, wake, w.state)
				}
			}
			if w.state.Status == incident.Triggered && w.state.Wake().IsZero() {
				t.Fatalf("nothing looks at it again: %+v", w.state)
			}
		}
	})
}

// However late and however often the timers are looked at, each level is told, once, and never before its time.
func TestLatenessLosesNoLevel(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p, now := drawPlan(t), begin
		p.RepeatAfter, p.ResolveHold = 0, time.Minute
		for i := range p.Levels {
			p.Levels[i].Channels, p.Levels[i].Target = []string{policy.Email}, fmt.Sprint("t", i)
		}
		seen := incident.Seen{Firing: true, Severity: severity.Sev1, Plan: p, Until: begin.Add(10000 * time.Hour)}
		state, effects := incident.Open("i", "g", "{}", seen, now)
		told, dues := pagesOf(effects), p.Schedule(begin)
		for len(told) < len(p.Levels) {
			if wake := state.Wake(); !wake.Equal(dues[len(told)]) {
				t.Fatalf("wakes at %v, level %d is due at %v", wake, len(told)+1, dues[len(told)])
			}
			now = state.Wake().Add(time.Duration(rapid.IntRange(0, 300).Draw(t, "late")) * time.Minute)
			state, effects = incident.Step(state, incident.Observe{Seen: seen}, now)
			fresh := pagesOf(effects)
			if len(fresh) == 0 {
				t.Fatalf("nobody told at %v", now)
			}
			told = append(told, fresh...)
			if len(told) < len(dues) && !dues[len(told)].After(now) || dues[len(told)-1].After(now) {
				t.Fatalf("%d told at %v of %v", len(told), now, dues)
			}
		}
	})
}
