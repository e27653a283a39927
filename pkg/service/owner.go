package service

import (
	"context"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/naksha-cloud/naksha/pkg/outbox"
	eventv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/event/v1"
)

// owner asks another service for its facts, by RPC.
type owner struct {
	core *Core
	name string
}

// askTime bounds one call: what is missing can be asked for again.
const askTime = 10 * time.Second

func (o owner) client() (eventv1.EventServiceClient, error) {
	conn, err := o.core.Peer(o.name)
	if err != nil {
		return nil, err
	}
	return eventv1.NewEventServiceClient(conn), nil
}

// Events returns a page of an aggregate's facts after a version.
func (o owner) Events(ctx context.Context, aggregate string, after int64) ([]outbox.Event, error) {
	client, err := o.client()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	reply, err := client.ListEvents(ctx, &eventv1.ListEventsRequest{
		Service: "services/" + o.name, Aggregate: aggregate, AfterVersion: after, PageSize: 100,
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

// Heads returns a page of the heads that changed since a moment.
func (o owner) Heads(ctx context.Context, since time.Time, page string) (outbox.HeadPage, error) {
	client, err := o.client()
	if err != nil {
		return outbox.HeadPage{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	request := &eventv1.ListHeadsRequest{Service: "services/" + o.name, PageToken: page}
	if !since.IsZero() {
		request.SinceTime = timestamppb.New(since)
	}
	reply, err := client.ListHeads(ctx, request)
	if err != nil {
		return outbox.HeadPage{}, err
	}
	found := outbox.HeadPage{Until: reply.GetUntilTime().AsTime(), Next: reply.GetNextPageToken()}
	for _, h := range reply.GetHeads() {
		found.Heads = append(found.Heads, outbox.Head{
			Aggregate: h.GetAggregate(), Version: h.GetVersion(), ChangedAt: h.GetChangeTime().AsTime(),
		})
	}
	return found, nil
}
