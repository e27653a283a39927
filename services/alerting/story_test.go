package alerting_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/naksha-cloud/naksha/pkg/caller"
	"github.com/naksha-cloud/naksha/pkg/local/localtest"
	"github.com/naksha-cloud/naksha/pkg/service/servicetest"
	alertingv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/alerting/v1"
)

// asOperator is a context of a call that the gateway makes for an operator's key.
func asOperator(ctx context.Context) context.Context {
	ctx, cancel := context.WithTimeout(ctx, localtest.Patience)
	context.AfterFunc(ctx, cancel)
	return caller.With(ctx, caller.Caller{Principal: "k1", Kind: caller.Admin})
}

// quick is the whole escalation in real seconds.
const quick = `
policies:
  sev1:
    levels:
      - {at: 0s, target: oncall, via: [webhook, email]}
      - {at: 2s, target: engineering-manager, via: [webhook]}
      - {at: 4s, target: cto, via: [email]}
resolve_hold: 100ms
`

func TestPagesEscalatesAndStopsWhenAcknowledged(t *testing.T) {
	t.Parallel()
	h := newHouse(t, quick)
	facts := h.env.Listen("naksha.feed.alerting.v1.>")
	s := h.start(nil)
	h.alert(s, map[string]string{"alertname": "ServiceDown", "severity": "critical", "job": "api", "area": "security"},
		`,"annotations":{"summary":"api is down","runbook_url":"https://runbooks.example/api"}`)
	servicetest.Eventually(t, both(
		count(2, func() []call { return h.hook.of("incident.page") }),
		count(2, h.box.seen),
	))
	pages := h.hook.of("incident.page")
	slices.SortFunc(pages, func(a, b call) int { return a.Data.Level - b.Data.Level }) // they are sent side by side
	if pages[0].Data.Target != "security-oncall" || pages[1].Data.Target != "engineering-manager" || pages[1].Data.Level != 2 {
		t.Errorf("paged %+v", pages)
	}
	client := alertingv1.NewIncidentServiceClient(h.conn(s))
	name := h.only(s).GetName()
	acked, err := client.AcknowledgeIncident(asOperator(t.Context()), &alertingv1.AcknowledgeIncidentRequest{Name: name, By: "Ada"})
	if err != nil {
		t.Fatal(err)
	}
	if acked.GetIncident().GetState() != alertingv1.Incident_STATE_ACKNOWLEDGED || acked.GetIncident().GetAcknowledgedBy() != "Ada" {
		t.Errorf("acknowledged: %v", acked.GetIncident())
	}
	servicetest.Eventually(t, count(2, func() []call { return h.hook.of("incident.acknowledged") }))
	if _, err := client.ResolveIncident(asOperator(t.Context()), &alertingv1.ResolveIncidentRequest{Name: name}); err != nil {
		t.Fatal(err)
	}
	servicetest.Eventually(t, both(
		count(2, func() []call { return h.hook.of("incident.resolved") }),
		count(6, h.box.seen), // two pages, each with both notices
	))
	if h.hook.forged > 0 {
		t.Errorf("%d calls were not signed rightly", h.hook.forged)
	}
	want := []string{"incident_opened", "incident_escalated", "incident_escalated", "incident_acknowledged", "incident_resolved"}
	for _, fact := range want {
		select {
		case m := <-facts:
			if m.Subject != "naksha.feed.alerting.v1."+fact+".platform" {
				t.Errorf("heard %s, want %s", m.Subject, fact)
			}
		case <-time.After(localtest.Patience):
			t.Fatalf("no %s", fact)
		}
	}
}
