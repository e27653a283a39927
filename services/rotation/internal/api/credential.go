package api

import (
	"context"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/naksha-cloud/naksha/pkg/caller"
	rotationv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/rotation/v1"
	"github.com/naksha-cloud/naksha/services/rotation/internal/credential"
	"github.com/naksha-cloud/naksha/services/rotation/internal/custody"
)

type credentials struct {
	rotationv1.UnimplementedCredentialServiceServer
	custody *custody.Custody
	store   Store
}

// ListCredentials lists the credentials of a workspace or a server.
func (s credentials) ListCredentials(ctx context.Context, r *rotationv1.ListCredentialsRequest) (*rotationv1.ListCredentialsResponse, error) {
	found, err := s.store.Credentials(ctx, r.GetParent())
	if err != nil {
		return nil, err
	}
	reply := &rotationv1.ListCredentialsResponse{}
	for _, c := range found {
		reply.Credentials = append(reply.Credentials, credentialMessage(c))
	}
	return reply, nil
}

// GetCredential shows one credential.
func (s credentials) GetCredential(ctx context.Context, r *rotationv1.GetCredentialRequest) (*rotationv1.GetCredentialResponse, error) {
	name, err := credential.Parse(r.GetName())
	if err != nil {
		return nil, err
	}
	found, err := s.store.Credential(ctx, name)
	if err != nil {
		return nil, err
	}
	return &rotationv1.GetCredentialResponse{Credential: credentialMessage(found)}, nil
}

// RedeemCredential hands the newest announced generation to its holder.
func (s credentials) RedeemCredential(ctx context.Context, r *rotationv1.RedeemCredentialRequest) (*rotationv1.RedeemCredentialResponse, error) {
	name, err := credential.Parse(r.GetName())
	if err != nil {
		return nil, err
	}
	who, _ := caller.From(ctx)
	got, err := s.custody.Redeem(ctx, name, who)
	if err != nil {
		return nil, err
	}
	return &rotationv1.RedeemCredentialResponse{
		Generation: got.Generation, Rotation: got.Rotation, User: got.User,
		Password: got.Password.Reveal(), DatabaseUrl: got.URL.Reveal(),
	}, nil
}

// AcknowledgeCredential takes the holder's word that it uses a generation.
func (s credentials) AcknowledgeCredential(ctx context.Context, r *rotationv1.AcknowledgeCredentialRequest) (*rotationv1.AcknowledgeCredentialResponse, error) {
	name, err := credential.Parse(r.GetName())
	if err != nil {
		return nil, err
	}
	who, _ := caller.From(ctx)
	rotation, err := s.custody.Acknowledge(ctx, name, r.GetGeneration(), custody.ServiceOf(who))
	if err != nil {
		return nil, err
	}
	return &rotationv1.AcknowledgeCredentialResponse{Rotation: rotation}, nil
}

func credentialMessage(c credential.Credential) *rotationv1.Credential {
	m := &rotationv1.Credential{Name: string(c.Name), ActiveGeneration: c.Active}
	if !c.ActiveAt.IsZero() {
		m.ActiveTime = timestamppb.New(c.ActiveAt)
	}
	if c.RotationID != "" {
		m.Rotation = m.Name + "/rotations/" + c.RotationID
	}
	return m
}
