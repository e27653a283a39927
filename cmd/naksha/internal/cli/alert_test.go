package cli

import (
	"context"
	"strings"
	"testing"

	"google.golang.org/grpc"

	alertingv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/alerting/v1"
)

// desk is alerting behind a gateway: each alert has an incident, each silence can be ended.
type desk struct {
	alertingv1.UnimplementedAlertServiceServer
	alertingv1.UnimplementedSilenceServiceServer
	sent chan *alertingv1.Alert // alerts posted, one at most
}

// CreateAlerts keeps the alert.
func (d *desk) CreateAlerts(_ context.Context, r *alertingv1.CreateAlertsRequest) (*alertingv1.CreateAlertsResponse, error) {
	d.sent <- r.GetAlerts()[0]
	return &alertingv1.CreateAlertsResponse{AcceptedCount: 1}, nil
}

// ListAlerts answers with the alert on the second page.
func (d *desk) ListAlerts(_ context.Context, r *alertingv1.ListAlertsRequest) (*alertingv1.ListAlertsResponse, error) {
	if r.GetPageToken() == "" {
		return &alertingv1.ListAlertsResponse{
			Alerts: []*alertingv1.Alert{{Labels: map[string]string{"alertname": "Other"}}}, NextPageToken: "2",
		}, nil
	}
	kept := <-d.sent
	kept.Incident, kept.Fingerprint = "incidents/7", "0123"
	return &alertingv1.ListAlertsResponse{Alerts: []*alertingv1.Alert{kept}}, nil
}

// DeleteSilence ends any silence.
func (d *desk) DeleteSilence(context.Context, *alertingv1.DeleteSilenceRequest) (*alertingv1.DeleteSilenceResponse, error) {
	return &alertingv1.DeleteSilenceResponse{}, nil
}

func newDesk(t *testing.T) target {
	t.Helper()
	d := &desk{sent: make(chan *alertingv1.Alert, 1)}
	return serve(t, func(s *grpc.Server) {
		alertingv1.RegisterAlertServiceServer(s, d)
		alertingv1.RegisterSilenceServiceServer(s, d)
	})
}

func TestPostedAlertIsShownWithItsIncident(t *testing.T) {
	t.Parallel()
	at := newDesk(t)
	for form, want := range map[string]string{"table": "incidents/7", "json": `"incident": "incidents/7"`, "name": "0123\n"} {
		got := at.run(t.Context(), "alert", "create", "Slow", "job=api", "--severity", "sev2", "-o", form)
		if got.code != exitOK || !strings.Contains(got.out, want) || got.err != "" {
			t.Errorf("-o %s: %+v", form, got)
		}
	}
}

func TestEndedSilenceIsShownByItsName(t *testing.T) {
	t.Parallel()
	at := newDesk(t)
	for form, want := range map[string]string{"table": "silences/1", "json": `"name": "silences/1"`, "name": "silences/1\n"} {
		if got := at.run(t.Context(), "silence", "delete", "1", "--yes", "-o", form); got.code != exitOK || !strings.Contains(got.out, want) {
			t.Errorf("-o %s: %+v", form, got)
		}
	}
}

func TestAlertsAndSilencesThatMeanSomethingElseAreRefused(t *testing.T) {
	t.Parallel()
	nowhere := target{Server: "https://127.0.0.1:1"}
	for _, test := range []struct {
		says string
		args []string
	}{
		{"sev4", []string{"alert", "create", "X", "--severity", "sev9"}},
		{"NAME", []string{"alert", "create", " "}},
		{"NAME", []string{"alert", "create", "X", "alertname=Y"}},
		{"--severity", []string{"alert", "create", "X", "severity=sev1"}},
		{"twice", []string{"alert", "create", "X", "job=a", "job=b"}},
		{"empty", []string{"alert", "create", "X", "job="}},
		{"LABEL=VALUE", []string{"alert", "create", "X", "job"}},
		{"8760h", []string{"silence", "create", "job=a", "--comment", "mine", "--for", "99999h"}},
		{"more than 0", []string{"silence", "create", "job=a", "--comment", "mine", "--for", "0s"}},
		{"comment", []string{"silence", "create", "job=a"}},
	} {
		if got := nowhere.run(t.Context(), test.args...); got.code != exitUsage || !strings.Contains(got.err, test.says) {
			t.Errorf("%q: %+v", test.args, got)
		}
	}
}
