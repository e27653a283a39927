package service

import (
	"cmp"
	"context"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/naksha-cloud/naksha/pkg/fault"
	"github.com/naksha-cloud/naksha/pkg/outbox"
	"github.com/naksha-cloud/naksha/pkg/pg"
	eventv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/event/v1"
)

// events serves the service's own record, from which others repair gaps, and its dead letters (letters.go).
type events struct {
	eventv1.UnimplementedEventServiceServer
	pool      *pg.Pool
	service   string
	snapshots outbox.Snapshots
	inbox     func(consumer string) (*outbox.Inbox, bool)
}

// ListEvents lists one aggregate's facts after a version, in order.
func (e events) ListEvents(ctx context.Context, r *eventv1.ListEventsRequest) (*eventv1.ListEventsResponse, error) {
	if err := e.own(r.GetService()); err != nil {
		return nil, err
	}
	found, err := outbox.Recorded(ctx, e.pool, e.snapshots, r.GetAggregate(), r.GetAfterVersion(), cmp.Or(int(r.GetPageSize()), 100))
	if err != nil {
		return nil, err
	}
	reply := &eventv1.ListEventsResponse{}
	for _, f := range found {
		reply.Events = append(reply.Events, event(f))
	}
	return reply, nil
}

func event(f outbox.Event) *eventv1.Event {
	return &eventv1.Event{
		Id: f.ID.String(), Aggregate: f.Aggregate, Version: f.Version, Type: f.Type, Workspace: f.Workspace,
		Time: timestamppb.New(f.At), Payload: f.Payload, Headers: f.Headers,
	}
}

// ListHeads lists the newest version of each aggregate that changed since a moment, is older than 10 s and published.
func (e events) ListHeads(ctx context.Context, r *eventv1.ListHeadsRequest) (*eventv1.ListHeadsResponse, error) {
	if err := e.own(r.GetService()); err != nil {
		return nil, err
	}
	if r.SinceTime != nil && !r.GetSinceTime().IsValid() {
		return nil, fault.Invalid("TIME_INVALID", "since_time is no time.").WithRemedy("Give a time of RFC 3339.").
			WithField("since_time", "is out of range")
	}
	found, err := outbox.Heads(ctx, e.pool, r.GetSinceTime().AsTime(), r.GetPageToken(), cmp.Or(int(r.GetPageSize()), 1000))
	if err != nil {
		return nil, err
	}
	reply := &eventv1.ListHeadsResponse{UntilTime: timestamppb.New(found.Until), NextPageToken: found.Next}
	for _, h := range found.Heads {
		reply.Heads = append(reply.Heads, &eventv1.Head{
			Aggregate: h.Aggregate, Version: h.Version, ChangeTime: timestamppb.New(h.ChangedAt),
		})
	}
	return reply, nil
}

func (e events) own(name string) error {
	if name != "services/"+e.service {
		return fault.NotFound("SERVICE_UNKNOWN", "This is services/%s, not %s.", e.service, name).
			WithRemedy("Call through the gateway, which routes by the service's name.")
	}
	return nil
}
