// Package peer asks the other services by gRPC: tenant, which alone may change cells, and rotation, which hands out
// credentials. It keeps nothing.
package peer

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"google.golang.org/grpc"

	"github.com/naksha-cloud/naksha/pkg/conf"
	rotationv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/rotation/v1"
	tenantv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/tenant/v1"
	"github.com/naksha-cloud/naksha/services/backup/internal/cell"
	"github.com/naksha-cloud/naksha/services/backup/internal/custody"
	"github.com/naksha-cloud/naksha/services/backup/internal/snapshot"
)

// Peers makes its connections at first use, by dial.
type Peers struct {
	pgDump string
	dial   func(service string) (*grpc.ClientConn, error)
}

// New returns Peers that connect through dial, and cells that are dumped by the program pgDump.
func New(dial func(service string) (*grpc.ClientConn, error), pgDump string) Peers {
	return Peers{dial: dial, pgDump: pgDump}
}

func (p Peers) cells() (tenantv1.CellServiceClient, error) {
	conn, err := p.dial("tenant")
	if err != nil {
		return nil, err
	}
	return tenantv1.NewCellServiceClient(conn), nil
}

func (p Peers) credentials() (rotationv1.CredentialServiceClient, error) {
	conn, err := p.dial("rotation")
	if err != nil {
		return nil, err
	}
	return rotationv1.NewCredentialServiceClient(conn), nil
}

func reader(server string) string { return server + "/credentials/backup-reader" }

// Redeem hands out the newest announced generation of a server's reader.
func (p Peers) Redeem(ctx context.Context, server string) (custody.Redeemed, error) {
	client, err := p.credentials()
	if err != nil {
		return custody.Redeemed{}, err
	}
	r, err := client.RedeemCredential(ctx, &rotationv1.RedeemCredentialRequest{Name: reader(server)})
	if err != nil {
		return custody.Redeemed{}, err
	}
	return custody.Redeemed{Generation: int(r.GetGeneration()), Login: r.GetUser(), Password: conf.Secret(r.GetPassword())}, nil
}

// Acknowledge says that a generation of a server's reader is in use.
func (p Peers) Acknowledge(ctx context.Context, server string, generation int) error {
	client, err := p.credentials()
	if err != nil {
		return err
	}
	_, err = client.AcknowledgeCredential(ctx, &rotationv1.AcknowledgeCredentialRequest{
		Name: reader(server), Generation: int32(generation),
	})
	return err
}

// Cell is how to reach a workspace's cell, or a server's first one, without a login.
func (p Peers) Cell(ctx context.Context, name string) (cell.Target, string, error) {
	client, err := p.cells()
	if err != nil {
		return cell.Target{}, "", err
	}
	r, err := client.GetCell(ctx, &tenantv1.GetCellRequest{Name: name})
	if err != nil {
		return cell.Target{}, "", err
	}
	return p.target(r.GetCell()), r.GetCell().GetServer(), nil
}

func (p Peers) target(c *tenantv1.Cell) cell.Target {
	return cell.Target{
		Host: c.GetHost(), Port: int(c.GetPort()), Database: c.GetDatabase(), TLS: c.GetTlsParameters(), PgDump: p.pgDump,
	}
}

// Stage makes an empty schema, a login and a scratch database for a restore.
func (p Peers) Stage(ctx context.Context, ref string, restore uuid.UUID, verifier string) (cell.Staged, error) {
	client, err := p.cells()
	if err != nil {
		return cell.Staged{}, err
	}
	r, err := client.StageRestore(ctx, &tenantv1.StageRestoreRequest{
		Workspace: snapshot.Workspace(ref), RestoreId: restore.String(), ScramVerifier: verifier,
	})
	if err != nil {
		return cell.Staged{}, fmt.Errorf("ask for a staged schema: %w", err)
	}
	s := cell.Staged{Target: p.target(r.GetCell()), Schema: r.GetSchema(), Scratch: r.GetScratchDatabase()}
	s.Target.User = r.GetRole()
	return s, nil
}

// Swap puts the staged schema in the live one's place and returns the schema that keeps the replaced data.
func (p Peers) Swap(ctx context.Context, ref string, restore uuid.UUID) (string, error) {
	client, err := p.cells()
	if err != nil {
		return "", err
	}
	r, err := client.SwapRestore(ctx, &tenantv1.SwapRestoreRequest{Workspace: snapshot.Workspace(ref), RestoreId: restore.String()})
	if err != nil {
		return "", fmt.Errorf("ask for the swap: %w", err)
	}
	return r.GetUndoSchema(), nil
}

// Undo puts the kept schema back.
func (p Peers) Undo(ctx context.Context, ref string, restore uuid.UUID) error {
	client, err := p.cells()
	if err != nil {
		return err
	}
	_, err = client.UndoRestore(ctx, &tenantv1.UndoRestoreRequest{Workspace: snapshot.Workspace(ref), RestoreId: restore.String()})
	if err != nil {
		return fmt.Errorf("ask for the undo: %w", err)
	}
	return nil
}

// Clear drops what a restore left, and the kept schema where asked.
func (p Peers) Clear(ctx context.Context, ref string, restore uuid.UUID, dropUndo bool) error {
	client, err := p.cells()
	if err != nil {
		return err
	}
	_, err = client.ClearRestore(ctx, &tenantv1.ClearRestoreRequest{
		Workspace: snapshot.Workspace(ref), RestoreId: restore.String(), DropUndo: dropUndo,
	})
	if err != nil {
		return fmt.Errorf("ask to clear: %w", err)
	}
	return nil
}

// Server is the server that holds a workspace.
func (p Peers) Server(ctx context.Context, workspace string) (string, error) {
	_, server, err := p.Cell(ctx, workspace)
	return server, err
}
