package api

import (
	"context"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/naksha-cloud/naksha/pkg/page"
	alertingv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/alerting/v1"
	"github.com/naksha-cloud/naksha/services/alerting/internal/delivery"
	"github.com/naksha-cloud/naksha/services/alerting/internal/incident"
)

// Incidents reads incidents.
type Incidents interface {
	// Incident reads one; INCIDENT_NOT_FOUND.
	Incident(ctx context.Context, id string) (incident.State, error)
	// Incidents lists those of a status (empty = all), newest first.
	Incidents(ctx context.Context, status incident.Status, after page.Cursor, limit int) ([]incident.State, error)
	// Deliveries lists an incident's, in order.
	Deliveries(ctx context.Context, id string) ([]delivery.Delivery, error)
}

// Desk takes people's decisions.
type Desk interface {
	// Acknowledge stops the escalation; INCIDENT_NOT_FOUND, INCIDENT_RESOLVED.
	Acknowledge(ctx context.Context, id, by string) (incident.State, error)
	// Resolve ends the incident; INCIDENT_NOT_FOUND.
	Resolve(ctx context.Context, id, by string) (incident.State, error)
}

type incidents struct {
	alertingv1.UnimplementedIncidentServiceServer
	store Incidents
	desk  Desk
}

// GetIncident shows one incident with its deliveries.
func (i *incidents) GetIncident(ctx context.Context, r *alertingv1.GetIncidentRequest) (*alertingv1.GetIncidentResponse, error) {
	id, err := idOf(r.GetName(), "incidents")
	if err != nil {
		return nil, err
	}
	state, err := i.store.Incident(ctx, id)
	if err != nil {
		return nil, err
	}
	shown, err := i.withDeliveries(ctx, state)
	return &alertingv1.GetIncidentResponse{Incident: shown}, err
}

var statusOf = map[alertingv1.Incident_State]incident.Status{
	alertingv1.Incident_STATE_TRIGGERED:    incident.Triggered,
	alertingv1.Incident_STATE_ACKNOWLEDGED: incident.Acknowledged,
	alertingv1.Incident_STATE_RESOLVED:     incident.Resolved,
}

// ListIncidents lists incidents, newest first; PAGE_TOKEN_INVALID.
func (i *incidents) ListIncidents(ctx context.Context, r *alertingv1.ListIncidentsRequest) (*alertingv1.ListIncidentsResponse, error) {
	list := "incidents?" + r.GetState().String()
	after, err := page.Parse(r.GetPageToken(), list, page.IsUUID)
	if err != nil {
		return nil, err
	}
	size := page.Size(r.GetPageSize())
	found, err := i.store.Incidents(ctx, statusOf[r.GetState()], after, size+1)
	if err != nil {
		return nil, err
	}
	reply := &alertingv1.ListIncidentsResponse{}
	if len(found) > size {
		found = found[:size]
		last := found[size-1]
		reply.NextPageToken = page.Cursor{Time: last.OpenedAt, ID: last.ID}.Token(list)
	}
	for _, one := range found {
		reply.Incidents = append(reply.Incidents, incidentOf(one))
	}
	return reply, nil
}

// AcknowledgeIncident stops the escalation.
func (i *incidents) AcknowledgeIncident(ctx context.Context, r *alertingv1.AcknowledgeIncidentRequest) (*alertingv1.AcknowledgeIncidentResponse, error) {
	id, err := idOf(r.GetName(), "incidents")
	if err != nil {
		return nil, err
	}
	state, err := i.desk.Acknowledge(ctx, id, who(ctx, r.GetBy()))
	if err != nil {
		return nil, err
	}
	shown, err := i.withDeliveries(ctx, state)
	return &alertingv1.AcknowledgeIncidentResponse{Incident: shown}, err
}

// ResolveIncident ends it.
func (i *incidents) ResolveIncident(ctx context.Context, r *alertingv1.ResolveIncidentRequest) (*alertingv1.ResolveIncidentResponse, error) {
	id, err := idOf(r.GetName(), "incidents")
	if err != nil {
		return nil, err
	}
	state, err := i.desk.Resolve(ctx, id, who(ctx, ""))
	if err != nil {
		return nil, err
	}
	shown, err := i.withDeliveries(ctx, state)
	return &alertingv1.ResolveIncidentResponse{Incident: shown}, err
}

func (i *incidents) withDeliveries(ctx context.Context, s incident.State) (*alertingv1.Incident, error) {
	found, err := i.store.Deliveries(ctx, s.ID)
	if err != nil {
		return nil, err
	}
	shown := incidentOf(s)
	for _, d := range found {
		shown.Deliveries = append(shown.Deliveries, deliveryOf(d))
	}
	return shown, nil
}

func incidentOf(s incident.State) *alertingv1.Incident {
	shown := &alertingv1.Incident{
		Name: "incidents/" + s.ID, Title: s.Title, Severity: s.Severity.String(), GroupKey: s.GroupKey,
		CreateTime: timestamppb.New(s.OpenedAt), AcknowledgeTime: stamp(s.AckedAt), AcknowledgedBy: s.AckedBy,
		ResolveTime: stamp(s.ResolvedAt), Level: int32(s.Level), RunbookUrl: s.RunbookURL,
	}
	for state, status := range statusOf {
		if status == s.Status {
			shown.State = state
		}
	}
	return shown
}

var deliveryState = map[delivery.State]alertingv1.Delivery_State{
	delivery.Pending:  alertingv1.Delivery_STATE_PENDING,
	delivery.Accepted: alertingv1.Delivery_STATE_ACCEPTED,
	delivery.Failed:   alertingv1.Delivery_STATE_FAILED,
	delivery.Canceled: alertingv1.Delivery_STATE_CANCELED,
}

func deliveryOf(d delivery.Delivery) *alertingv1.Delivery {
	return &alertingv1.Delivery{
		Id: d.ID, Level: int32(d.Level), Target: d.Target, Channel: d.Channel, Kind: string(d.Kind),
		State: deliveryState[d.State], Attempts: int32(d.Attempts), AcceptTime: stamp(d.Accepted), Error: d.Error,
	}
}

// stamp is nil for a time that is not set.
func stamp(t time.Time) *timestamppb.Timestamp {
	if t.IsZero() {
		return nil
	}
	return timestamppb.New(t)
}
