package incident_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/naksha-cloud/naksha/services/alerting/internal/calendar"
	"github.com/naksha-cloud/naksha/services/alerting/internal/incident"
	"github.com/naksha-cloud/naksha/services/alerting/internal/policy"
	"github.com/naksha-cloud/naksha/services/alerting/internal/severity"
)

// begin is a Wednesday, ten o'clock.
var begin = time.Date(2026, 11, 25, 10, 0, 0, 0, time.UTC)

// level is one step of a plan, told by mail.
func level(after time.Duration, target string) policy.Level {
	return policy.Level{When: policy.When{Rule: policy.After, After: after}, Target: target, Channels: []string{policy.Email}}
}

// plan is the seeds' sev1.
func plan() policy.Plan {
	return policy.Plan{
		Levels: []policy.Level{
			level(0, "oncall"), level(15*time.Minute, "manager"), level(30*time.Minute, "cto"), level(time.Hour, "ceo"),
		},
		AckTimeout: 30 * time.Minute, ResolveHold: time.Minute, Calendar: calendar.Default(),
	}
}

// fires is a view of alerts that go on firing.
func fires(p policy.Plan) incident.Seen {
	return incident.Seen{Firing: true, Severity: severity.Sev1, Title: "down", Plan: p, Until: begin.Add(1000 * time.Hour)}
}

var (
	quiet = incident.Seen{}
	muted = incident.Seen{Firing: true, Muted: true, Until: begin.Add(1000 * time.Hour)}
)

// story is an incident as it goes through a test.
type story struct {
	t     testing.TB
	state incident.State
	told  []string // "oncall" for a page, "-" for withdrawn pages, "acknowledged", "resolved"
}

func open(t testing.TB, p policy.Plan) *story {
	s := &story{t: t}
	var effects []incident.Effect
	s.state, effects = incident.Open("i", "g", "{}", fires(p), begin)
	s.note(effects)
	return s
}

func (s *story) note(effects []incident.Effect) {
	for _, effect := range effects {
		switch e := effect.(type) {
		case incident.Page:
			s.told = append(s.told, e.Target)
		case incident.TellPaged:
			s.told = append(s.told, e.Kind)
		}
	}
}

// step applies an event so long after the beginning.
func (s *story) step(after time.Duration, e incident.Event) *story {
	var effects []incident.Effect
	s.state, effects = incident.Step(s.state, e, begin.Add(after))
	s.note(effects)
	return s
}

// tick looks at firing alerts so long after the beginning.
func (s *story) tick(after time.Duration) *story {
	return s.step(after, incident.Observe{Seen: fires(plan())})
}

func (s *story) wants(told ...string) {
	s.t.Helper()
	if !slices.Equal(s.told, told) {
		s.t.Errorf("told %v, want %v", s.told, told)
	}
}

func TestTellsEachLevelAtItsTimeWithoutDrift(t *testing.T) {
	t.Parallel()
	s := open(t, plan())
	s.wants("oncall")
	for _, late := range []time.Duration{15*time.Minute + 40*time.Second, 30*time.Minute + 40*time.Second, time.Hour} {
		want := []time.Duration{15 * time.Minute, 30 * time.Minute, time.Hour}[s.state.Level-1]
		if wake := s.state.Wake(); !wake.Equal(begin.Add(want)) {
			t.Errorf("wakes %v after the beginning, want %v", wake.Sub(begin), want)
		}
		s.tick(late)
	}
	s.wants("oncall", "manager", "cto", "ceo")
}

func TestTellsNobodyTwiceOrEarly(t *testing.T) {
	t.Parallel()
	s := open(t, plan()).tick(0).tick(time.Minute).tick(14*time.Minute + 59*time.Second)
	s.wants("oncall")
	s.tick(15 * time.Minute).tick(15 * time.Minute)
	s.wants("oncall", "manager")
}

func TestCatchesUpInOnePassWithOneMessagePerTarget(t *testing.T) {
	t.Parallel()
	p := plan()
	p.Levels[2].Target = "manager"
	s := open(t, p)
	s.tick(3 * time.Hour)
	s.wants("oncall", "manager", "ceo")
}

func TestAcknowledgementStopsAndExpires(t *testing.T) {
	t.Parallel()
	s := open(t, plan()).step(time.Minute, incident.Acknowledge{By: "Ada"}).step(2*time.Minute, incident.Acknowledge{By: "Bob"})
	if s.state.AckedBy != "Ada" || s.state.Status != incident.Acknowledged {
		t.Errorf("%+v", s.state)
	}
	s.tick(20 * time.Minute)
	s.wants("oncall", "acknowledged")
	s.tick(31 * time.Minute)
	s.wants("oncall", "acknowledged", "oncall")
	if s.state.Cycle != 2 || s.state.Status != incident.Triggered || !s.state.AckedAt.IsZero() {
		t.Errorf("after expiry %+v", s.state)
	}
	s.tick(46 * time.Minute)
	s.wants("oncall", "acknowledged", "oncall", "manager")
}

func TestResolvesAfterTheHoldAndNotOnAFlap(t *testing.T) {
	t.Parallel()
	s := open(t, plan()).step(5*time.Minute, incident.Observe{Seen: quiet})
	if wake := s.state.Wake(); !wake.Equal(begin.Add(6 * time.Minute)) {
		t.Errorf("wakes after %v", wake.Sub(begin))
	}
	s.tick(5*time.Minute+30*time.Second).step(15*time.Minute, incident.Observe{Seen: quiet})
	s.step(15*time.Minute+59*time.Second, incident.Observe{Seen: quiet})
	s.wants("oncall") // nobody is told within the hold
	s.step(16*time.Minute, incident.Observe{Seen: quiet})
	s.wants("oncall", "resolved")
	if s.state.Status != incident.Resolved || !s.state.Wake().IsZero() {
		t.Errorf("%+v", s.state)
	}
	s.tick(17*time.Minute).step(18*time.Minute, incident.Acknowledge{By: "late"})
	s.wants("oncall", "resolved")
	if s.state.MayAcknowledge() == nil {
		t.Error("a resolved incident may be acknowledged")
	}
}

func TestResolvesByHand(t *testing.T) {
	t.Parallel()
	s := open(t, plan()).step(time.Minute, incident.Resolve{By: "Ada"}).step(time.Minute, incident.Resolve{By: "Ada"})
	s.wants("oncall", "resolved")
	if s.state.ResolvedBy != "Ada" {
		t.Errorf("%+v", s.state)
	}
}

func TestSilenceStopsFurtherPagesAndItsEndBeginsAnew(t *testing.T) {
	t.Parallel()
	s := open(t, plan()).step(time.Minute, incident.Observe{Seen: muted}).step(2*time.Hour, incident.Observe{Seen: muted})
	s.wants("oncall")
	s.tick(3 * time.Hour)
	s.wants("oncall", "oncall")
	s.tick(3*time.Hour + 15*time.Minute)
	s.wants("oncall", "oncall", "manager")
}

func TestUnreachableLevelGoesOnAtOnce(t *testing.T) {
	t.Parallel()
	p := plan()
	p.Levels[0].Channels, p.Levels[1].Channels = nil, nil
	s := open(t, p)
	s.wants("cto")
	s.tick(time.Hour)
	s.wants("cto", "ceo")
}

func TestPagesThatWereGivenUpBringTheNextLevelAtOnce(t *testing.T) {
	t.Parallel()
	s := open(t, plan()).step(time.Minute, incident.Unreached{Cycle: 1, Level: 1})
	s.wants("oncall", "manager")
	s.step(2*time.Minute, incident.Unreached{Cycle: 1, Level: 1}) // heard twice, or late
	s.wants("oncall", "manager")
}

func TestRaisedSeverityBeginsTheHigherPolicy(t *testing.T) {
	t.Parallel()
	low := plan()
	low.Levels = low.Levels[:1]
	seen := fires(low)
	seen.Severity = severity.Sev3
	state, _ := incident.Open("i", "g", "{}", seen, begin)
	s := &story{t: t, state: state}
	s.step(time.Minute, incident.Acknowledge{By: "Ada"}).tick(10 * time.Minute)
	s.wants("acknowledged", "oncall")
	s.tick(25 * time.Minute)
	s.wants("acknowledged", "oncall", "manager")
	seen.Severity = severity.Sev4
	s.step(26*time.Minute, incident.Observe{Seen: seen})
	if s.state.Severity != severity.Sev1 {
		t.Errorf("lowered to %v by itself", s.state.Severity)
	}
}

func TestRepeatsAfterTheLastLevel(t *testing.T) {
	t.Parallel()
	p := plan()
	p.Levels, p.RepeatAfter = p.Levels[:2], 10*time.Minute
	s := open(t, p).tick(15 * time.Minute).tick(24 * time.Minute)
	s.wants("oncall", "manager")
	s.tick(25 * time.Minute).tick(40 * time.Minute)
	s.wants("oncall", "manager", "oncall", "manager")
}

func TestDefersToBusinessHours(t *testing.T) {
	t.Parallel()
	p := plan()
	p.Levels = []policy.Level{
		{When: policy.When{Rule: policy.BusinessHours}, Target: "team", Channels: []string{policy.Email}},
		{When: policy.When{Rule: policy.NextBusinessDay}, Target: "manager", Channels: []string{policy.Email}},
	}
	saturday := time.Date(2026, 11, 28, 10, 0, 0, 0, time.UTC)
	state, effects := incident.Open("i", "g", "{}", fires(p), saturday)
	var log []string
	for range 3 {
		log = append(log, fmt.Sprint(state.Wake().Format("Mon 15:04"), " ", strings.Join(pagesOf(effects), ",")))
		state, effects = incident.Step(state, incident.Observe{Seen: fires(p)}, state.Wake())
	}
	if want := []string{"Mon 09:00 ", "Tue 09:00 team", log[2]}; !slices.Equal(log, want) || !strings.HasSuffix(log[2], "manager") {
		t.Errorf("%q", log)
	}
}

func pagesOf(effects []incident.Effect) (targets []string) {
	for _, effect := range effects {
		if p, ok := effect.(incident.Page); ok {
			targets = append(targets, p.Target)
		}
	}
	return targets
}
