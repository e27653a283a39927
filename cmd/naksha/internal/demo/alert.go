package demo

import (
	"context"
	"errors"
	"fmt"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/naksha-cloud/naksha/cmd/naksha/internal/demo/outsider"
	alertingv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/alerting/v1"
)

// The two conditions that are reported.
const (
	firing = "CheckoutIsDown"
	muted  = "CheckoutIsSlow"
)

// alert reports a critical condition and follows it until it is over: page, next level, acknowledgement, silence, end.
func alert(ctx context.Context, w *world, f *finding) error {
	w.progress("reporting a critical alert")
	begin := time.Now()
	if err := w.report(ctx, firing, begin); err != nil {
		return err
	}
	incident, paged, err := w.paged(ctx, f, begin)
	if err != nil {
		return err
	}
	if err := w.escalated(ctx, f, begin); err != nil {
		return err
	}
	if err := w.acknowledge(ctx, f, incident); err != nil {
		return err
	}
	if err := w.silence(ctx); err != nil {
		return err
	}
	if err := w.nobodyElse(ctx, f, paged); err != nil {
		return err
	}
	return w.resolve(ctx, f, incident)
}

// report posts a critical alert as Prometheus does.
func (w *world) report(ctx context.Context, name string, since time.Time) error {
	return outsider.PostAlerts(ctx, w.platform.endpoints.Alerting, outsider.PrometheusAlert{
		Labels:      map[string]string{"alertname": name, "severity": "critical", "service": "checkout", "instance": "eu-1"},
		Annotations: map[string]string{"summary": name + ": nobody can pay"},
		StartsAt:    since.UTC(), EndsAt: since.Add(10 * time.Minute).UTC(),
	})
}

// paged waits for the first level's mail and webhook, and returns the incident's name and when the page had arrived.
func (w *world) paged(ctx context.Context, f *finding, begin time.Time) (incident string, at time.Time, err error) {
	arrived, read, err := w.awaitHook(ctx, "incident.page", firing, 1)
	if err != nil {
		return "", at, fmt.Errorf("the page by webhook: %w", err)
	}
	mail, err := w.awaitMail(ctx, onCall, firing, read.Data.Incident.Name)
	if err != nil {
		return "", at, fmt.Errorf("the page by mail: %w", err)
	}
	if severity := read.Data.Incident.Severity; severity != "sev1" {
		return "", at, fmt.Errorf("critical became %q instead of sev1", severity)
	}
	f.note("page_by_webhook_seconds", arrived.At.Sub(begin))
	f.note("page_by_mail_seconds", mail.At.Sub(begin))
	f.say("page by mail in %s, by signed webhook in %s", Took(mail.At.Sub(begin)), Took(arrived.At.Sub(begin)))
	return read.Data.Incident.Name, mail.At, nil
}

func (w *world) escalated(ctx context.Context, f *finding, begin time.Time) error {
	w.progress("waiting for the next level")
	arrived, _, err := w.awaitHook(ctx, "incident.page", firing, 2)
	if err != nil {
		return fmt.Errorf("the escalation by webhook: %w", err)
	}
	mail, err := w.awaitMail(ctx, manager, firing)
	if err != nil {
		return fmt.Errorf("the escalation by mail: %w", err)
	}
	late := mail.At.Sub(begin) - nextLevel
	if late < 0 || arrived.At.Sub(begin) < nextLevel {
		return fmt.Errorf("the next level was told %s too early", Took(-late))
	}
	f.note("escalation_seconds", mail.At.Sub(begin))
	f.note("escalation_due_seconds", nextLevel)
	f.say("next level after %s (due %s)", Took(mail.At.Sub(begin)), Took(nextLevel))
	return nil
}

func (w *world) acknowledge(ctx context.Context, f *finding, incident string) error {
	begin := time.Now()
	reply := &alertingv1.AcknowledgeIncidentResponse{}
	request := &alertingv1.AcknowledgeIncidentRequest{Name: incident, By: "Asha"}
	if err := w.admin.REST(ctx, "POST", "/v1/"+incident+":acknowledge", request, reply); err != nil {
		return fmt.Errorf("acknowledge: %w", err)
	}
	if state := reply.GetIncident().GetState(); state != alertingv1.Incident_STATE_ACKNOWLEDGED {
		return fmt.Errorf("after the acknowledgement it is %s", state)
	}
	f.note("acknowledge_seconds", time.Since(begin))
	return nil
}

// silence mutes a second condition, reports it, and waits until it is on record, without an incident.
func (w *world) silence(ctx context.Context) error {
	order := &alertingv1.CreateSilenceRequest{Silence: &alertingv1.Silence{
		Matchers: []*alertingv1.Matcher{{Label: "alertname", Value: muted}},
		EndTime:  timestamppb.New(time.Now().Add(10 * time.Minute)), Comment: "Asha: known, being worked on",
	}}
	if err := w.admin.REST(ctx, "POST", "/v1/silences", order, &alertingv1.CreateSilenceResponse{}); err != nil {
		return fmt.Errorf("silence: %w", err)
	}
	if err := w.report(ctx, muted, time.Now()); err != nil {
		return err
	}
	ctx, cancel := bounded(ctx, patience, "the record of the silenced alert")
	defer cancel()
	return until(ctx, 50*time.Millisecond, func() (bool, error) {
		reply := &alertingv1.ListAlertsResponse{}
		if err := w.admin.REST(ctx, "GET", "/v1/alerts", nil, reply); err != nil {
			return false, fmt.Errorf("list alerts: %w", err)
		}
		for _, a := range reply.GetAlerts() {
			if a.GetLabels()["alertname"] == muted {
				return true, nil
			}
		}
		return false, nil
	})
}

// nobodyElse waits until well after the third level was due, and sees that nobody was told: neither the third level,
// since it was acknowledged, nor anybody about the silenced alert.
func (w *world) nobodyElse(ctx context.Context, f *finding, paged time.Time) error {
	w.progress("waiting for a page that must not come")
	const grace = time.Second
	pause := time.NewTimer(time.Until(paged.Add(lastLevel + grace)))
	defer pause.Stop()
	select {
	case <-pause.C:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	if told := w.toldAbout(firing, chief); told > 0 {
		return errors.New("the third level was told although somebody had acknowledged")
	}
	if told := w.toldAbout(muted, ""); told > 0 {
		return fmt.Errorf("%d messages about the silenced alert", told)
	}
	f.note("third_level_pages", 0)
	f.note("silenced_pages", 0)
	f.say("acknowledged: third level not told · silenced: nobody told")
	return nil
}

// resolve ends the incident and waits for the notice to those who had been paged.
func (w *world) resolve(ctx context.Context, f *finding, incident string) error {
	begin := time.Now()
	reply := &alertingv1.ResolveIncidentResponse{}
	request := &alertingv1.ResolveIncidentRequest{Name: incident}
	if err := w.admin.REST(ctx, "POST", "/v1/"+incident+":resolve", request, reply); err != nil {
		return fmt.Errorf("resolve: %w", err)
	}
	mail, err := w.awaitMail(ctx, onCall, "resolved", firing)
	if err != nil {
		return fmt.Errorf("the notice by mail: %w", err)
	}
	if _, _, err := w.awaitHook(ctx, "incident.resolved", firing, 0); err != nil {
		return fmt.Errorf("the notice by webhook: %w", err)
	}
	f.note("resolved_notice_seconds", mail.At.Sub(begin))
	f.say("resolved notice in %s", Took(mail.At.Sub(begin)))
	return w.toldOnce(f)
}

// toldOnce sees that no message arrived twice: each has an id of its own.
func (w *world) toldOnce(f *finding) error {
	seen := map[string]bool{}
	for _, m := range w.mail.Inbox.All(func(outsider.Mail) bool { return true }) {
		if seen[m.ID+m.To] {
			return fmt.Errorf("mail %s arrived twice", m.ID)
		}
		seen[m.ID+m.To] = true
	}
	for _, h := range w.hooks.Inbox.All(func(outsider.Hook) bool { return true }) {
		if seen[h.ID] {
			return fmt.Errorf("webhook %s arrived twice", h.ID)
		}
		seen[h.ID] = true
	}
	f.note("messages", len(seen))
	return nil
}
