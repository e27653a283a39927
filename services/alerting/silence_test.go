package alerting_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/naksha-cloud/naksha/pkg/clock"
	"github.com/naksha-cloud/naksha/pkg/fault"
	alertingv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/alerting/v1"
	"github.com/naksha-cloud/naksha/services/alerting"
)

// mute makes a silence of a job for a time from start; the zero start is now.
func (h *house) mute(s *alerting.Service, job string, start, end time.Time) string {
	h.Helper()
	wanted := &alertingv1.Silence{
		Matchers: []*alertingv1.Matcher{{Label: "job", Value: job}}, EndTime: timestamppb.New(end), Comment: "works on it",
	}
	if !start.IsZero() {
		wanted.StartTime = timestamppb.New(start)
	}
	made, err := alertingv1.NewSilenceServiceClient(h.conn(s)).CreateSilence(asOperator(h.Context()),
		&alertingv1.CreateSilenceRequest{Silence: wanted})
	if err != nil {
		h.Fatal(err)
	}
	return made.GetSilence().GetName()
}

func TestSilencedAlertsOpenNoIncidentUntilTheSilenceEnds(t *testing.T) {
	t.Parallel()
	h := newHouse(t, "")
	now := clock.NewFake(wednesday)
	s := h.start(now)
	name := h.mute(s, "api", time.Time{}, wednesday.Add(24*time.Hour))
	h.mute(s, "web", time.Time{}, wednesday.Add(10*time.Minute))
	h.alert(s, map[string]string{"alertname": "Down", "severity": "sev1", "job": "api"}, lasting)
	h.alert(s, map[string]string{"alertname": "Down", "severity": "sev1", "job": "web"}, lasting)
	client := alertingv1.NewIncidentServiceClient(h.conn(s))
	list, err := client.ListIncidents(asOperator(t.Context()), &alertingv1.ListIncidentsRequest{})
	if err != nil || len(list.GetIncidents()) != 0 {
		t.Fatalf("%v, %v", list, err)
	}
	now.Advance(10 * time.Minute) // one silence ends by its time
	within(h, now, pace, h.told("platform-oncall"))
	if i := h.only(s); i.GetGroupKey() != `{alertname="Down", job="web"}` {
		t.Errorf("%v", i)
	}
	silences := alertingv1.NewSilenceServiceClient(h.conn(s))
	for range 2 { // the other by hand; a repeat changes nothing
		if _, err := silences.DeleteSilence(asOperator(t.Context()), &alertingv1.DeleteSilenceRequest{Name: name}); err != nil {
			t.Fatal(err)
		}
	}
	within(h, now, pace, h.told("platform-oncall", "platform-oncall"))
	left, err := silences.ListSilences(asOperator(t.Context()), &alertingv1.ListSilencesRequest{})
	if err != nil || len(left.GetSilences()) != 0 {
		t.Errorf("%v, %v", left, err)
	}
}

func TestASilenceStopsARunningEscalation(t *testing.T) {
	t.Parallel()
	h := newHouse(t, "")
	now := clock.NewFake(wednesday)
	s := h.start(now)
	h.alert(s, map[string]string{"alertname": "Down", "severity": "sev1", "job": "api"}, lasting)
	within(h, now, pace, h.told("platform-oncall"))
	h.mute(s, "api", wednesday.Add(10*time.Minute), wednesday.Add(2*time.Hour)) // it begins later
	now.Advance(10 * time.Minute)
	conn := h.database()
	within(h, now, pace, func() (err error) {
		var muted bool
		if err = conn.QueryRow(t.Context(), "SELECT muted FROM incident").Scan(&muted); err == nil && !muted {
			err = errors.New("the silence has not begun")
		}
		return err
	})
	now.Advance(time.Hour) // over the times of all levels
	if err := h.told("platform-oncall")(); err != nil {
		t.Error(err)
	}
	now.Advance(time.Hour)
	within(h, now, pace, h.told("platform-oncall", "platform-oncall"))
	if i := h.only(s); i.GetState() != alertingv1.Incident_STATE_TRIGGERED {
		t.Errorf("%v", i)
	}
}

func TestRefusesBadRequestsByGRPC(t *testing.T) {
	t.Parallel()
	h := newHouse(t, "")
	s := h.start(nil)
	ctx, conn := asOperator(t.Context()), h.conn(s)
	incidents, silences := alertingv1.NewIncidentServiceClient(conn), alertingv1.NewSilenceServiceClient(conn)
	alerts := alertingv1.NewAlertServiceClient(conn)
	nobody := "incidents/0197a2c0-0000-7000-8000-000000000000"
	matcher := []*alertingv1.Matcher{{Label: "a", Value: "b"}}
	for name, c := range map[string]struct {
		call   func() error
		code   codes.Code
		reason string
	}{
		"get, no such incident": {func() error {
			_, err := incidents.GetIncident(ctx, &alertingv1.GetIncidentRequest{Name: nobody})
			return err
		}, codes.NotFound, "INCIDENT_NOT_FOUND"},
		"get, no UUID": {func() error {
			_, err := incidents.GetIncident(ctx, &alertingv1.GetIncidentRequest{Name: "incidents/------------------------------------"})
			return err
		}, codes.NotFound, "INCIDENT_NOT_FOUND"},
		"acknowledge nothing": {func() error {
			_, err := incidents.AcknowledgeIncident(ctx, &alertingv1.AcknowledgeIncidentRequest{Name: nobody})
			return err
		}, codes.NotFound, "INCIDENT_NOT_FOUND"},
		"resolve nothing": {func() error {
			_, err := incidents.ResolveIncident(ctx, &alertingv1.ResolveIncidentRequest{Name: nobody})
			return err
		}, codes.NotFound, "INCIDENT_NOT_FOUND"},
		"page token": {func() error {
			_, err := incidents.ListIncidents(ctx, &alertingv1.ListIncidentsRequest{PageToken: "x' OR 1=1"})
			return err
		}, codes.InvalidArgument, "PAGE_TOKEN_INVALID"},
		"page token of alerts": {func() error {
			_, err := alerts.ListAlerts(ctx, &alertingv1.ListAlertsRequest{PageToken: "MjAyNi0wMS0wMVQwMDowMDowMFogeA"})
			return err
		}, codes.InvalidArgument, "PAGE_TOKEN_INVALID"},
		"alerts of nothing": {func() error {
			_, err := alerts.CreateAlerts(ctx, &alertingv1.CreateAlertsRequest{Alerts: []*alertingv1.Alert{{}}})
			return err
		}, codes.InvalidArgument, "ALERTS_REFUSED"},
		"alert beyond time": {func() error {
			_, err := alerts.CreateAlerts(ctx, &alertingv1.CreateAlertsRequest{Alerts: []*alertingv1.Alert{
				{Labels: map[string]string{"a": "b"}, EndTime: &timestamppb.Timestamp{Seconds: 1 << 60}},
			}})
			return err
		}, codes.InvalidArgument, "ALERTS_REFUSED"},
		"silence in the past": {func() error {
			_, err := silences.CreateSilence(ctx, &alertingv1.CreateSilenceRequest{Silence: &alertingv1.Silence{
				Matchers: matcher, Comment: "x", EndTime: timestamppb.New(time.Now().Add(-time.Hour)),
			}})
			return err
		}, codes.InvalidArgument, "SILENCE_INVALID"},
		"silence beyond time": {func() error {
			_, err := silences.CreateSilence(ctx, &alertingv1.CreateSilenceRequest{Silence: &alertingv1.Silence{
				Matchers: matcher, Comment: "x", EndTime: &timestamppb.Timestamp{Seconds: 1 << 60},
			}})
			return err
		}, codes.InvalidArgument, "SILENCE_INVALID"},
		"silence of NUL": {func() error {
			_, err := silences.CreateSilence(ctx, &alertingv1.CreateSilenceRequest{Silence: &alertingv1.Silence{
				Matchers: []*alertingv1.Matcher{{Label: "a", Value: "\x00"}}, Comment: "x",
				EndTime: timestamppb.New(time.Now().Add(time.Hour)),
			}})
			return err
		}, codes.InvalidArgument, "SILENCE_INVALID"},
		"delete nothing": {func() error {
			_, err := silences.DeleteSilence(ctx, &alertingv1.DeleteSilenceRequest{Name: "silences/0197a2c0-0000-7000-8000-000000000000"})
			return err
		}, codes.NotFound, "SILENCE_NOT_FOUND"},
	} {
		if err := c.call(); fault.CodeOf(err) != c.code || fault.ReasonOf(err) != c.reason {
			t.Errorf("%s: %v, want %v %s", name, err, c.code, c.reason)
		}
	}
}

func TestListsInPagesNewestFirst(t *testing.T) {
	t.Parallel()
	h := newHouse(t, "")
	s := h.start(nil)
	batch := &alertingv1.CreateAlertsRequest{}
	for i := range 7 {
		batch.Alerts = append(batch.Alerts, &alertingv1.Alert{Labels: map[string]string{"alertname": fmt.Sprint("A", i), "severity": "sev4"}})
	}
	ctx, conn := asOperator(t.Context()), h.conn(s)
	alerts, incidents := alertingv1.NewAlertServiceClient(conn), alertingv1.NewIncidentServiceClient(conn)
	if made, err := alerts.CreateAlerts(ctx, batch); err != nil || made.GetAcceptedCount() != 7 {
		t.Fatalf("%v, %v", made, err)
	}
	seen := map[string]bool{}
	for token, pages := "", 0; ; pages++ {
		page, err := alerts.ListAlerts(ctx, &alertingv1.ListAlertsRequest{PageSize: 3, PageToken: token})
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range page.GetAlerts() {
			seen[a.GetFingerprint()+a.GetIncident()] = true
		}
		if token = page.GetNextPageToken(); token == "" {
			break
		}
	}
	for token := ""; ; {
		page, err := incidents.ListIncidents(ctx, &alertingv1.ListIncidentsRequest{
			PageSize: 3, PageToken: token, State: alertingv1.Incident_STATE_TRIGGERED,
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range page.GetIncidents() {
			seen[i.GetName()] = true
		}
		if token = page.GetNextPageToken(); token == "" {
			break
		}
	}
	if len(seen) != 14 {
		t.Errorf("%d different, want 7 alerts and 7 incidents", len(seen))
	}
}
