// Package api speaks gRPC: it checks requests, calls the store, and converts answers. The work itself is done by workers;
// a request only orders it.
package api

import (
	"context"

	"github.com/google/uuid"
	"google.golang.org/grpc/codes"

	"github.com/naksha-cloud/naksha/pkg/fault"
	backupv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/backup/v1"
	"github.com/naksha-cloud/naksha/services/backup/internal/request"
	"github.com/naksha-cloud/naksha/services/backup/internal/snapshot"
)

// Workspaces makes sure that a workspace is known before work on it is accepted.
type Workspaces interface {
	// Knows says whether the workspace is noted. FailedPrecondition: it is deleted.
	Knows(ctx context.Context, ref string) (bool, error)
	// Learn notes a workspace whose fact has not arrived yet.
	Learn(ctx context.Context, ref, server string) error
}

// SnapshotStore keeps snapshots.
type SnapshotStore interface {
	Workspaces
	// CreateSnapshot notes that a snapshot was asked for. NotFound: there is no such workspace. AlreadyExists: the
	// request's id was used with another request.
	CreateSnapshot(ctx context.Context, k request.Key) (uuid.UUID, error)
	// Snapshot is one snapshot. NotFound: there is none.
	Snapshot(ctx context.Context, ref string, id uuid.UUID) (snapshot.Snapshot, error)
	// Snapshots is a page, newest first, of those before a position.
	Snapshots(ctx context.Context, ref string, before snapshot.Position, limit int) ([]snapshot.Snapshot, error)
}

// Tenants is who knows every workspace.
type Tenants interface {
	// Server is the server that holds a workspace. NotFound: there is no such workspace.
	Server(ctx context.Context, workspace string) (string, error)
}

// Snapshots implements naksha.backup.v1.SnapshotService.
type Snapshots struct {
	backupv1.UnimplementedSnapshotServiceServer
	Store   SnapshotStore
	Tenants Tenants
	Kick    func() // wakes the workers
}

// CreateSnapshot orders a snapshot.
func (s Snapshots) CreateSnapshot(ctx context.Context, r *backupv1.CreateSnapshotRequest) (*backupv1.CreateSnapshotResponse, error) {
	ref, err := refOf(r.GetParent())
	if err != nil {
		return nil, err
	}
	if err := ensureKnown(ctx, s.Store, s.Tenants, ref); err != nil {
		return nil, err
	}
	key, err := request.KeyOf("CreateSnapshot", ref, r.GetRequestId(), r.GetParent())
	if err != nil {
		return nil, err
	}
	id, err := s.Store.CreateSnapshot(ctx, key)
	if err != nil {
		return nil, err
	}
	s.Kick()
	found, err := s.Store.Snapshot(ctx, ref, id)
	if err != nil {
		return nil, err
	}
	return &backupv1.CreateSnapshotResponse{Snapshot: snapshotMessage(found)}, nil
}

// GetSnapshot shows one snapshot.
func (s Snapshots) GetSnapshot(ctx context.Context, r *backupv1.GetSnapshotRequest) (*backupv1.GetSnapshotResponse, error) {
	ref, id, err := split(r.GetName(), "snapshots")
	if err != nil {
		return nil, err
	}
	found, err := s.Store.Snapshot(ctx, ref, id)
	if err != nil {
		return nil, err
	}
	return &backupv1.GetSnapshotResponse{Snapshot: snapshotMessage(found)}, nil
}

// ListSnapshots lists a page of a workspace's snapshots.
func (s Snapshots) ListSnapshots(ctx context.Context, r *backupv1.ListSnapshotsRequest) (*backupv1.ListSnapshotsResponse, error) {
	ref, err := refOf(r.GetParent())
	if err != nil {
		return nil, err
	}
	page, err := windowOf("snapshots of "+ref, r.GetPageSize(), r.GetPageToken())
	if err != nil {
		return nil, err
	}
	found, err := s.Store.Snapshots(ctx, ref, page.from, page.size+1)
	if err != nil {
		return nil, err
	}
	reply := &backupv1.ListSnapshotsResponse{}
	if len(found) > page.size {
		found = found[:page.size]
		last := found[page.size-1]
		reply.NextPageToken = page.next(last.CreatedAt, last.ID)
	}
	for _, f := range found {
		reply.Snapshots = append(reply.Snapshots, snapshotMessage(f))
	}
	return reply, nil
}

// ensureKnown asks the tenant service about a workspace whose fact has not arrived yet.
func ensureKnown(ctx context.Context, w Workspaces, t Tenants, ref string) error {
	known, err := w.Knows(ctx, ref)
	if err != nil || known {
		return err
	}
	server, err := t.Server(ctx, snapshot.Workspace(ref))
	if fault.CodeOf(err) == codes.NotFound {
		return fault.NotFound("WORKSPACE_NOT_FOUND", "There is no such workspace.").WithRemedy("List the workspaces.")
	}
	if err != nil {
		return err
	}
	return w.Learn(ctx, ref, server)
}
