package service

import (
	"context"
	"strings"

	"github.com/google/uuid"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/naksha-cloud/naksha/pkg/fault"
	"github.com/naksha-cloud/naksha/pkg/outbox"
	"github.com/naksha-cloud/naksha/pkg/page"
	eventv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/event/v1"
)

// letterID reads `services/{service}/deadLetters/{id}`.
func (e events) letterID(name string) (uuid.UUID, error) {
	parent, text, _ := strings.Cut(name, "/deadLetters/")
	if err := e.own(parent); err != nil {
		return uuid.Nil, err
	}
	id, err := uuid.Parse(text)
	if err != nil {
		return uuid.Nil, fault.Invalid("NAME_INVALID", "%q is no id of a dead letter.", text).
			WithRemedy("Give a name as ListDeadLetters returns it.").WithField("name", "ends in a UUID")
	}
	return id, nil
}

// GetDeadLetter shows one dead letter.
func (e events) GetDeadLetter(ctx context.Context, r *eventv1.GetDeadLetterRequest) (*eventv1.GetDeadLetterResponse, error) {
	l, err := e.letter(ctx, r.GetName())
	if err != nil {
		return nil, err
	}
	return &eventv1.GetDeadLetterResponse{DeadLetter: e.deadLetter(l)}, nil
}

func (e events) letter(ctx context.Context, name string) (outbox.Letter, error) {
	id, err := e.letterID(name)
	if err != nil {
		return outbox.Letter{}, err
	}
	return outbox.LetterOf(ctx, e.pool, id)
}

// ListDeadLetters lists dead letters, newest first.
func (e events) ListDeadLetters(ctx context.Context, r *eventv1.ListDeadLettersRequest) (*eventv1.ListDeadLettersResponse, error) {
	if err := e.own(r.GetParent()); err != nil {
		return nil, err
	}
	list := "dead letters of " + r.GetAggregate()
	cursor, err := page.Parse(r.GetPageToken(), list, page.IsUUID)
	if err != nil {
		return nil, err
	}
	before, _ := uuid.Parse(cursor.ID) // of the first page: none
	size := page.Size(r.GetPageSize())
	found, err := outbox.Letters(ctx, e.pool, r.GetAggregate(), before, size)
	if err != nil {
		return nil, err
	}
	reply := &eventv1.ListDeadLettersResponse{}
	for _, l := range found {
		reply.DeadLetters = append(reply.DeadLetters, e.deadLetter(l))
	}
	if len(found) == size {
		last := found[size-1]
		reply.NextPageToken = page.Cursor{Time: last.BuriedAt, ID: last.ID.String()}.Token(list)
	}
	return reply, nil
}

// ReplayDeadLetter takes the dead letters of the letter's aggregate in order.
func (e events) ReplayDeadLetter(ctx context.Context, r *eventv1.ReplayDeadLetterRequest) (*eventv1.ReplayDeadLetterResponse, error) {
	l, err := e.letter(ctx, r.GetName())
	if err != nil {
		return nil, err
	}
	inbox, ok := e.inbox(l.Consumer)
	if !ok {
		return nil, fault.Precondition("CONSUMER_UNKNOWN", "This service does not take facts of %s any more.", l.OwnerOf()).
			WithRemedy("Drop the dead letter.")
	}
	done, err := inbox.Replay(ctx, l.Aggregate)
	if err != nil {
		return nil, err
	}
	reply := &eventv1.ReplayDeadLetterResponse{ReplayedCount: int32(done.Count)}
	if done.Failed != nil {
		reply.DeadLetter = e.deadLetter(*done.Failed)
	}
	return reply, nil
}

// DeleteDeadLetter drops one dead letter.
func (e events) DeleteDeadLetter(ctx context.Context, r *eventv1.DeleteDeadLetterRequest) (*eventv1.DeleteDeadLetterResponse, error) {
	id, err := e.letterID(r.GetName())
	if err != nil {
		return nil, err
	}
	l, err := outbox.Drop(ctx, e.pool, id)
	if err != nil {
		return nil, err
	}
	return &eventv1.DeleteDeadLetterResponse{DeadLetter: e.deadLetter(l)}, nil
}

func (e events) deadLetter(l outbox.Letter) *eventv1.DeadLetter {
	return &eventv1.DeadLetter{
		Name: "services/" + e.service + "/deadLetters/" + l.ID.String(), Owner: "services/" + l.OwnerOf(), Event: event(l.Event),
		PayloadJson: payloadJSON(l.Event), Error: strings.ToValidUTF8(l.Error, "�"), Attempts: l.Attempts, Rejected: l.Rejected,
		CreateTime: timestamppb.New(l.BuriedAt), TryTime: timestamppb.New(l.TriedAt),
	}
}

// payloadJSON is a fact's message for people; empty where its type is not linked in, or its bytes are not of it.
func payloadJSON(e outbox.Event) string {
	kind, err := protoregistry.GlobalTypes.FindMessageByName(protoreflect.FullName(e.Type))
	if err != nil {
		return ""
	}
	m := kind.New().Interface()
	if err := proto.Unmarshal(e.Payload, m); err != nil {
		return ""
	}
	text, err := protojson.Marshal(m)
	if err != nil {
		return ""
	}
	return string(text)
}
