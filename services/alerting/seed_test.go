package alerting_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"

	"github.com/naksha-cloud/naksha/pkg/clock"
	"github.com/naksha-cloud/naksha/pkg/fault"
	"github.com/naksha-cloud/naksha/pkg/service/servicetest"
	alertingv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/alerting/v1"
)

// wednesday is in business hours.
var wednesday = time.Date(2026, 11, 25, 10, 0, 0, 0, time.UTC)

// lasting ends an alert long after every test.
const lasting = `,"endsAt":"2099-01-01T00:00:00Z"`

// targets are whom the calls of a type told, in order.
func (h *house) targets(kind string) (all []string) {
	for _, c := range h.hook.of(kind) {
		all = append(all, c.Data.Target)
	}
	return all
}

// told wants exactly these targets of pages.
func (h *house) told(want ...string) func() error {
	return func() error {
		if got := h.targets("incident.page"); !slices.Equal(got, want) {
			return fmt.Errorf("paged %v, want %v", got, want)
		}
		return nil
	}
}

func TestFollowsTheMatrixOfTheSeeds(t *testing.T) {
	t.Parallel()
	h := newHouse(t, "")
	now := clock.NewFake(wednesday)
	s := h.start(now)
	h.alert(s, map[string]string{"alertname": "ServiceDown", "severity": "sev1"}, lasting)
	tick := 100 * time.Millisecond
	within(h, now, tick, both(h.told("platform-oncall"), count(1, h.box.unique)))
	told := []string{"platform-oncall"}
	for i, next := range []string{"engineering-manager", "cto", "ceo"} {
		due := wednesday.Add([]time.Duration{15 * time.Minute, 30 * time.Minute, time.Hour}[i])
		now.Advance(due.Add(-2 * time.Second).Sub(now.Now()))
		if err := h.told(told...)(); err != nil {
			t.Errorf("two seconds early: %v", err)
		}
		now.Advance(2 * time.Second)
		told = append(told, next)
		within(h, now, tick, h.told(told...))
	}
	within(h, now, tick, count(4, h.box.unique))
	first := h.box.seen()[0]
	if first.To != "platform-oncall@naksha.com" || first.Header.Get("Auto-Submitted") != "auto-generated" {
		t.Errorf("mail %+v", first)
	}
	if got := first.Header.Get("References"); got != "<"+strings.TrimPrefix(h.only(s).GetName(), "incidents/")+"@alerts.naksha>" {
		t.Errorf("References %q", got)
	}
}

func TestDefersMinorIssuesToBusinessHours(t *testing.T) {
	t.Parallel()
	h := newHouse(t, "")
	now := clock.NewFake(time.Date(2026, 11, 28, 10, 0, 0, 0, time.UTC)) // a Saturday
	s := h.start(now)
	h.alert(s, map[string]string{"alertname": "Minor", "severity": "warning"}, lasting)
	if i := h.only(s); i.GetLevel() != 0 || i.GetSeverity() != "sev3" || len(i.GetDeliveries()) != 0 {
		t.Errorf("told on a Saturday: %v", i)
	}
	now.Advance(47 * time.Hour) // Monday, 09:00
	within(h, now, pace, h.told("platform-oncall"))
	now.Advance(24 * time.Hour)
	within(h, now, pace, h.told("platform-oncall", "engineering-manager"))
}

func TestEscalatesAnewWhenAnAcknowledgementExpires(t *testing.T) {
	t.Parallel()
	h := newHouse(t, "")
	now := clock.NewFake(wednesday)
	s := h.start(now)
	h.alert(s, map[string]string{"alertname": "ServiceDown", "severity": "sev1"}, lasting)
	within(h, now, pace, h.told("platform-oncall"))
	client := alertingv1.NewIncidentServiceClient(h.conn(s))
	ack := &alertingv1.AcknowledgeIncidentRequest{Name: h.only(s).GetName()}
	first, err := client.AcknowledgeIncident(asOperator(t.Context()), ack)
	if err != nil || first.GetIncident().GetAcknowledgedBy() != "k1" {
		t.Fatalf("%v, %v", first, err)
	}
	ack.By = "somebody else"
	again, err := client.AcknowledgeIncident(asOperator(t.Context()), ack)
	if err != nil || again.GetIncident().GetAcknowledgedBy() != "k1" {
		t.Fatalf("a repeat changed who: %v, %v", again, err)
	}
	within(h, now, pace, count(1, func() []call { return h.hook.of("incident.acknowledged") }))
	now.Advance(30 * time.Minute)
	within(h, now, pace, h.told("platform-oncall", "platform-oncall"))
	if i := h.only(s); i.GetState() != alertingv1.Incident_STATE_TRIGGERED || i.GetAcknowledgedBy() != "" {
		t.Errorf("%v", i)
	}
	done := &alertingv1.ResolveIncidentRequest{Name: ack.GetName()}
	for range 2 {
		if _, err := client.ResolveIncident(asOperator(t.Context()), done); err != nil {
			t.Fatal(err)
		}
	}
	_, err = client.AcknowledgeIncident(asOperator(t.Context()), ack)
	if fault.CodeOf(err) != codes.FailedPrecondition || fault.ReasonOf(err) != "INCIDENT_RESOLVED" {
		t.Errorf("acknowledged after the end: %v", err)
	}
}

func TestCatchesUpAfterDowntimeWithOneMessagePerTarget(t *testing.T) {
	t.Parallel()
	h := newHouse(t, "")
	now := clock.NewFake(wednesday)
	s := h.replica(now)
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	h.alert(s, map[string]string{"alertname": "ServiceDown", "severity": "sev1"}, lasting)
	within(h, now, pace, h.told("platform-oncall"))
	kill(t, s)
	now = clock.NewFake(wednesday.Add(45 * time.Minute))
	h.start(now)
	within(h, now, pace, count(3, func() []call { return h.hook.of("incident.page") }))
	late := map[string]float64{} // minutes
	for _, c := range h.hook.of("incident.page")[1:] {
		late[c.Data.Target] = math.Trunc(c.Data.Late / 60)
	}
	if late["engineering-manager"] != 30 || late["cto"] != 15 {
		t.Errorf("late %v", late)
	}
}

func TestGoesOnAtOnceWhenALevelCannotBeReached(t *testing.T) {
	t.Parallel()
	h := newHouse(t, `
policies:
  sev1:
    levels:
      - {at: 0s, target: nobody, via: [email]}
      - {at: 1h, target: cto, via: [webhook]}
      - {at: 2h, target: ceo, via: [email]}
targets:
  nobody: {}
`)
	h.hook.answers(func(call) int { return 410 }) // gone: the page is given up
	s := h.start(nil)
	h.alert(s, map[string]string{"alertname": "ServiceDown", "severity": "sev1"}, "")
	servicetest.Eventually(t, count(1, h.box.seen))
	if to := h.box.seen()[0].To; to != "ceo@naksha.com" {
		t.Errorf("told %s", to)
	}
	if got := h.only(s); got.GetLevel() != 3 || got.GetDeliveries()[0].GetState() != alertingv1.Delivery_STATE_FAILED {
		t.Errorf("%v", got)
	}
}

func TestResolvesWhenItsAlertsEnd(t *testing.T) {
	t.Parallel()
	h := newHouse(t, "")
	now := clock.NewFake(wednesday)
	s := h.start(now)
	labels := map[string]string{"alertname": "ServiceDown", "severity": "sev1", "instance": "a"}
	h.alert(s, labels, "")
	labels["instance"] = "b"
	h.alert(s, labels, lasting)
	within(h, now, pace, h.told("platform-oncall"))
	now.Advance(6 * time.Minute) // a timed out; b fires
	h.alert(s, labels, `,"startsAt":"2026-11-25T10:00:00Z","endsAt":"2026-11-25T10:06:00Z"`)
	now.Advance(30 * time.Second)
	if i := h.only(s); i.GetState() != alertingv1.Incident_STATE_TRIGGERED {
		t.Errorf("resolved within the hold: %v", i)
	}
	now.Advance(time.Minute)
	within(h, now, pace, count(1, func() []call { return h.hook.of("incident.resolved") }))
	if i := h.only(s); i.GetState() != alertingv1.Incident_STATE_RESOLVED || i.GetResolveTime() == nil {
		t.Errorf("%v", i)
	}
	h.alert(s, labels, `,"startsAt":"2026-11-25T11:00:00Z"`+lasting) // a new episode
	within(h, now, pace, h.told("platform-oncall", "platform-oncall"))
}
