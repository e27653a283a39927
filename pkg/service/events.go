package service

import (
	"context"

	"github.com/google/uuid"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/naksha-cloud/naksha/pkg/fault"
	"github.com/naksha-cloud/naksha/pkg/outbox"
	"github.com/naksha-cloud/naksha/pkg/pg"
	eventv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/event/v1"
)

// events serves the service's own record: others repair gaps from it.
type events struct {
	eventv1.UnimplementedEventServiceServer
	pool    *pg.Pool
	service string
}

// ListEvents lists one aggregate's facts after a version, in order.
func (e events) ListEvents(ctx context.Context, r *eventv1.ListEventsRequest) (*eventv1.ListEventsResponse, error) {
	if err := e.own(r.GetService()); err != nil {
		return nil, err
	}
	found, err := outbox.List(ctx, e.pool, r.GetAggregate(), r.GetAfterVersion(), pageSize(r.GetPageSize(), 100))
	if err != nil {
		return nil, err
	}
	reply := &eventv1.ListEventsResponse{}
	for _, f := range found {
		reply.Events = append(reply.Events, &eventv1.Event{
			Id: f.ID.String(), Aggregate: f.Aggregate, Version: f.Version, Type: f.Type, Workspace: f.Workspace,
			Time: timestamppb.New(f.At), Payload: f.Payload, Headers: f.Headers,
		})
	}
	return reply, nil
}

// ListHeads lists the newest version of each aggregate that changed since a moment and is older than 10 s.
func (e events) ListHeads(ctx context.Context, r *eventv1.ListHeadsRequest) (*eventv1.ListHeadsResponse, error) {
	if err := e.own(r.GetService()); err != nil {
		return nil, err
	}
	size := pageSize(r.GetPageSize(), 1000)
	found, err := outbox.Heads(ctx, e.pool, r.GetSinceTime().AsTime(), r.GetPageToken(), size)
	if err != nil {
		return nil, err
	}
	reply := &eventv1.ListHeadsResponse{}
	for _, h := range found {
		reply.Heads = append(reply.Heads, &eventv1.Head{
			Aggregate: h.Aggregate, Version: h.Version, ChangeTime: timestamppb.New(h.ChangedAt),
		})
	}
	if len(found) == size {
		reply.NextPageToken = found[size-1].Aggregate
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

func pageSize(asked int32, otherwise int) int {
	if asked > 0 {
		return int(asked)
	}
	return otherwise
}

// source fetches missing facts from the service that owns them.
func (c *Core) source(owner string) outbox.Source {
	return func(ctx context.Context, aggregate string, after int64) ([]outbox.Event, error) {
		conn, err := c.Peer(owner)
		if err != nil {
			return nil, err
		}
		reply, err := eventv1.NewEventServiceClient(conn).ListEvents(ctx, &eventv1.ListEventsRequest{
			Service: "services/" + owner, Aggregate: aggregate, AfterVersion: after, PageSize: 100,
		})
		if err != nil {
			return nil, err
		}
		found := make([]outbox.Event, 0, len(reply.GetEvents()))
		for _, e := range reply.GetEvents() {
			id, err := uuid.Parse(e.GetId())
			if err != nil {
				return nil, err
			}
			found = append(found, outbox.Event{
				At: e.GetTime().AsTime(), ID: id, Aggregate: e.GetAggregate(), Version: e.GetVersion(), Type: e.GetType(),
				Workspace: e.GetWorkspace(), Headers: e.GetHeaders(), Payload: e.GetPayload(),
			})
		}
		return found, nil
	}
}
