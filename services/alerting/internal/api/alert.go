package api

import (
	"context"
	"fmt"
	"regexp"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/naksha-cloud/naksha/pkg/fault"
	"github.com/naksha-cloud/naksha/pkg/page"
	alertingv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/alerting/v1"
	"github.com/naksha-cloud/naksha/services/alerting/internal/alert"
	"github.com/naksha-cloud/naksha/services/alerting/internal/ingest"
)

// Intake takes a batch of alerts; what it accepted is durable.
type Intake interface {
	Receive(ctx context.Context, posts []alert.Post) (ingest.Result, error)
}

// Alerts lists alerts, newest first.
type Alerts interface {
	Alerts(ctx context.Context, after page.Cursor, limit int) ([]alert.Alert, error)
}

type alerts struct {
	alertingv1.UnimplementedAlertServiceServer
	intake Intake
	store  Alerts
}

// CreateAlerts takes a batch; ALERTS_REFUSED when none of it can be kept.
func (a *alerts) CreateAlerts(ctx context.Context, r *alertingv1.CreateAlertsRequest) (*alertingv1.CreateAlertsResponse, error) {
	var posts []alert.Post
	var places []int
	var refusals []string
	for i, sent := range r.GetAlerts() {
		post, err := postOf(sent)
		if err != nil {
			refusals = append(refusals, sentence(i, err.Error()))
			continue
		}
		posts, places = append(posts, post), append(places, i)
	}
	result, err := a.intake.Receive(ctx, posts)
	if err != nil {
		return nil, err
	}
	for _, refusal := range result.Refusals {
		refusals = append(refusals, sentence(places[refusal.At], refusal.Why))
	}
	if result.Accepted == 0 {
		return nil, refused(refusals)
	}
	return &alertingv1.CreateAlertsResponse{AcceptedCount: int32(result.Accepted), Refusals: refusals}, nil
}

func sentence(at int, why string) string { return fmt.Sprintf("alert %d: %s", at+1, why) }

func refused(refusals []string) error {
	f := fault.Invalid("ALERTS_REFUSED", "None of the alerts can be kept.").
		WithRemedy("Correct them as the field errors say, and send them again.")
	for _, why := range refusals {
		f = f.WithField("alerts", why)
	}
	return f
}

func postOf(sent *alertingv1.Alert) (alert.Post, error) {
	start, err := timeOf("start_time", sent.GetStartTime())
	if err != nil {
		return alert.Post{}, err
	}
	end, err := timeOf("end_time", sent.GetEndTime())
	return alert.Post{
		Labels: sent.GetLabels(), Annotations: sent.GetAnnotations(), StartsAt: start, EndsAt: end,
		GeneratorURL: sent.GetGeneratorUrl(),
	}, err
}

// timeOf is zero for a timestamp that is not set.
func timeOf(field string, t *timestamppb.Timestamp) (time.Time, error) {
	if t == nil {
		return time.Time{}, nil
	}
	if err := t.CheckValid(); err != nil {
		return time.Time{}, fmt.Errorf("%s is out of range: years 1 to 9999", field)
	}
	return t.AsTime(), nil
}

var alertKey = regexp.MustCompile(`^[0-9a-f]{32}$`)

// ListAlerts lists alerts, newest first; PAGE_TOKEN_INVALID.
func (a *alerts) ListAlerts(ctx context.Context, r *alertingv1.ListAlertsRequest) (*alertingv1.ListAlertsResponse, error) {
	after, err := page.Parse(r.GetPageToken(), "alerts", alertKey.MatchString)
	if err != nil {
		return nil, err
	}
	size := page.Size(r.GetPageSize())
	found, err := a.store.Alerts(ctx, after, size+1)
	if err != nil {
		return nil, err
	}
	reply := &alertingv1.ListAlertsResponse{}
	if len(found) > size {
		found = found[:size]
		last := found[size-1]
		reply.NextPageToken = page.Cursor{Time: last.CreatedAt, ID: alert.Key(last.Labels)}.Token("alerts")
	}
	for _, one := range found {
		reply.Alerts = append(reply.Alerts, alertOf(one))
	}
	return reply, nil
}

func alertOf(a alert.Alert) *alertingv1.Alert {
	shown := &alertingv1.Alert{
		Labels: a.Labels, Annotations: a.Annotations, StartTime: timestamppb.New(a.StartsAt), EndTime: timestamppb.New(a.EndsAt),
		GeneratorUrl: a.GeneratorURL, Fingerprint: alert.Fingerprint(a.Labels),
	}
	if a.Incident != "" {
		shown.Incident = "incidents/" + a.Incident
	}
	return shown
}
