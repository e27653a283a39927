// Package api speaks gRPC: it checks requests beyond what their protos declare, calls custody or the store, and converts.
// It decides nothing.
package api

import (
	"context"
	"strings"

	"github.com/google/uuid"
	"google.golang.org/grpc"

	"github.com/naksha-cloud/naksha/pkg/page"
	rotationv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/rotation/v1"
	"github.com/naksha-cloud/naksha/services/rotation/internal/credential"
	"github.com/naksha-cloud/naksha/services/rotation/internal/custody"
	"github.com/naksha-cloud/naksha/services/rotation/internal/rotation"
)

// Store is what is read without a decision.
type Store interface {
	// Credential reads one; credential.Unknown when there is none.
	Credential(ctx context.Context, n credential.Name) (credential.Credential, error)
	// Credentials lists those of an owner by name.
	Credentials(ctx context.Context, owner string) ([]credential.Credential, error)
	// Rotation reads one with its journal; rotation.Unknown when there is none.
	Rotation(ctx context.Context, id string) (rotation.Rotation, []rotation.Entry, error)
	// Rotations lists a credential's, newest first, with their journals by id.
	Rotations(ctx context.Context, n credential.Name, after rotation.Position, limit int) (
		[]rotation.Rotation, map[string][]rotation.Entry, error)
}

// Register adds the service's RPCs to a server.
func Register(r grpc.ServiceRegistrar, c *custody.Custody, s Store) {
	rotationv1.RegisterRotationServiceServer(r, rotations{custody: c, store: s})
	rotationv1.RegisterCredentialServiceServer(r, credentials{custody: c, store: s})
}

// rotationID is the last part of a rotation's name; what cannot be an id is not found.
func rotationID(name string) (string, error) {
	id, err := uuid.Parse(name[strings.LastIndexByte(name, '/')+1:])
	if err != nil {
		return "", rotation.Unknown(name)
	}
	return id.String(), nil
}

// listOf is the list that a page token belongs to.
func listOf(n credential.Name) string { return "rotations of " + string(n) }

func writeToken(n credential.Name, last rotation.Rotation) string {
	return page.Cursor{Time: last.CreatedAt, ID: last.ID}.Token(listOf(n))
}

func readToken(n credential.Name, token string) (rotation.Position, error) {
	cursor, err := page.Parse(token, listOf(n), page.IsUUID)
	if err != nil || cursor.First() {
		return rotation.Position{}, err
	}
	return rotation.Position{CreatedAt: cursor.Time, ID: cursor.ID}, nil
}
