package api

import (
	"context"
	"crypto/sha256"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/naksha-cloud/naksha/pkg/caller"
	"github.com/naksha-cloud/naksha/pkg/page"
	rotationv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/rotation/v1"
	"github.com/naksha-cloud/naksha/services/rotation/internal/credential"
	"github.com/naksha-cloud/naksha/services/rotation/internal/custody"
	"github.com/naksha-cloud/naksha/services/rotation/internal/rotation"
)

type rotations struct {
	rotationv1.UnimplementedRotationServiceServer
	custody *custody.Custody
	store   Store
}

// CreateRotation starts a rotation.
func (s rotations) CreateRotation(ctx context.Context, r *rotationv1.CreateRotationRequest) (*rotationv1.CreateRotationResponse, error) {
	name, err := credential.Parse(r.GetParent())
	if err != nil {
		return nil, err
	}
	request, err := requestOf(ctx, r)
	if err != nil {
		return nil, err
	}
	created, steps, err := s.custody.Create(ctx, custody.Order{
		Credential: name, QuietWindow: durationOf(r.GetQuietWindow()), Deadline: durationOf(r.GetDeadline()), Request: request,
	})
	if err != nil {
		return nil, err
	}
	return &rotationv1.CreateRotationResponse{Rotation: rotationMessage(created, steps)}, nil
}

// GetRotation shows one rotation with its evidence.
func (s rotations) GetRotation(ctx context.Context, r *rotationv1.GetRotationRequest) (*rotationv1.GetRotationResponse, error) {
	id, err := rotationID(r.GetName())
	if err != nil {
		return nil, err
	}
	found, steps, err := s.store.Rotation(ctx, id)
	if err != nil {
		return nil, err
	}
	if found.Name() != r.GetName() {
		return nil, rotation.Unknown(r.GetName())
	}
	return &rotationv1.GetRotationResponse{Rotation: rotationMessage(found, steps)}, nil
}

// ListRotations lists a credential's rotations, newest first.
func (s rotations) ListRotations(ctx context.Context, r *rotationv1.ListRotationsRequest) (*rotationv1.ListRotationsResponse, error) {
	name, err := credential.Parse(r.GetParent())
	if err != nil {
		return nil, err
	}
	if _, err := s.store.Credential(ctx, name); err != nil {
		return nil, err
	}
	after, err := readToken(name, r.GetPageToken())
	if err != nil {
		return nil, err
	}
	size := page.Size(r.GetPageSize())
	found, steps, err := s.store.Rotations(ctx, name, after, size+1)
	if err != nil {
		return nil, err
	}
	reply := &rotationv1.ListRotationsResponse{}
	if len(found) > size {
		found = found[:size]
		reply.NextPageToken = writeToken(name, found[size-1])
	}
	for _, one := range found {
		reply.Rotations = append(reply.Rotations, rotationMessage(one, steps[one.ID]))
	}
	return reply, nil
}

// requestOf is what makes the request repeatable: who sent which body under its id.
func requestOf(ctx context.Context, r *rotationv1.CreateRotationRequest) (custody.Request, error) {
	if r.GetRequestId() == "" {
		return custody.Request{}, nil
	}
	body, err := proto.MarshalOptions{Deterministic: true}.Marshal(r)
	if err != nil {
		return custody.Request{}, err
	}
	hash := sha256.Sum256(body)
	who, _ := caller.From(ctx)
	return custody.Request{Scope: "CreateRotation " + who.Workspace + " " + who.Principal, ID: r.GetRequestId(), Hash: hash[:]}, nil
}

func durationOf(d *durationpb.Duration) *time.Duration {
	if d == nil {
		return nil
	}
	value := d.AsDuration()
	return &value
}

func rotationMessage(r rotation.Rotation, steps []rotation.Entry) *rotationv1.Rotation {
	m := &rotationv1.Rotation{
		Name: r.Name(), State: stateMessage(r.State), OldGeneration: r.Old, NewGeneration: r.New,
		CreateTime: timestamppb.New(r.CreatedAt),
	}
	if !r.EndedAt.IsZero() {
		m.EndTime = timestamppb.New(r.EndedAt)
	}
	switch {
	case r.State == rotation.Blocked:
		m.BlockedReason = string(r.Blocked.Reason) + ": " + r.Blocked.Message
	case r.AbortReason.Reason != "":
		m.BlockedReason = string(r.AbortReason.Reason) + ": " + r.AbortReason.Message
	}
	for _, step := range steps {
		m.Steps = append(m.Steps, &rotationv1.Step{
			State: stateMessage(step.State), Time: timestamppb.New(step.At), Evidence: step.Evidence,
		})
	}
	return m
}

func stateMessage(s rotation.State) rotationv1.Rotation_State {
	return rotationv1.Rotation_State(rotationv1.Rotation_State_value["STATE_"+string(s)])
}
