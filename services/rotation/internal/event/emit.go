// Package event speaks with the bus: it turns this service's facts into messages (emit.go), and reacts to other services'
// facts (one on_<fact>.go each). It decides nothing.
package event

import (
	"context"
	"fmt"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/naksha-cloud/naksha/pkg/outbox"
	"github.com/naksha-cloud/naksha/pkg/pg"
	rotationv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/rotation/v1"
	"github.com/naksha-cloud/naksha/services/rotation/internal/credential"
	"github.com/naksha-cloud/naksha/services/rotation/internal/rotation"
)

// Emitter puts facts into the outbox; the aggregate is always the credential.
func Emitter(o *outbox.Outbox) func(ctx context.Context, tx *pg.Tx, fact any) error {
	return func(ctx context.Context, tx *pg.Tx, fact any) error {
		of, message, err := convert(fact)
		if err != nil {
			return err
		}
		return o.Emit(ctx, tx, outbox.Fact{Aggregate: string(of), Workspace: of.Workspace(), Message: message})
	}
}

func convert(fact any) (credential.Name, proto.Message, error) {
	switch f := fact.(type) {
	case rotation.RotationRequested:
		return f.Credential, &rotationv1.RotationRequested{Rotation: f.Rotation}, nil
	case rotation.CredentialAnnounced:
		return f.Credential, &rotationv1.CredentialAnnounced{
			Credential: string(f.Credential), Rotation: f.Rotation, Generation: f.Generation,
		}, nil
	case rotation.CredentialPromoted:
		return f.Credential, &rotationv1.CredentialPromoted{
			Credential: string(f.Credential), Rotation: f.Rotation, Generation: f.Generation,
		}, nil
	case rotation.CredentialRotated:
		return f.Credential, &rotationv1.CredentialRotated{
			Credential: string(f.Credential), Rotation: f.Rotation, Generation: f.Generation, RotateTime: timestamppb.New(f.At),
		}, nil
	case rotation.RotationBlocked:
		return f.Credential, &rotationv1.RotationBlocked{
			Credential: string(f.Credential), Rotation: f.Rotation, Reason: string(f.Reason), Message: f.Message,
		}, nil
	}
	return "", nil, fmt.Errorf("no message for fact %T", fact)
}
