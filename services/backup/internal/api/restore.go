package api

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/naksha-cloud/naksha/pkg/clock"
	"github.com/naksha-cloud/naksha/pkg/fault"
	backupv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/backup/v1"
	"github.com/naksha-cloud/naksha/services/backup/internal/request"
	"github.com/naksha-cloud/naksha/services/backup/internal/restore"
	"github.com/naksha-cloud/naksha/services/backup/internal/snapshot"
)

// RestoreStore keeps restores.
type RestoreStore interface {
	// Covered says whether the snapshot can be restored. NotFound or FailedPrecondition: it cannot.
	Covered(ctx context.Context, ref string, from uuid.UUID) error
	// CreateRestore notes that a restore was asked for. AlreadyExists: the request's id was used with another request.
	CreateRestore(ctx context.Context, k request.Key, from uuid.UUID, region string) (uuid.UUID, error)
	// Restore is one restore. NotFound: there is none.
	Restore(ctx context.Context, ref string, id uuid.UUID) (restore.Restore, error)
	// Restores is a page, newest first, of those before a position.
	Restores(ctx context.Context, ref string, before snapshot.Position, limit int) ([]restore.Restore, error)
	// Undo notes that the newest restore shall be undone. FailedPrecondition: this is not the newest, or not completed.
	Undo(ctx context.Context, ref string, id uuid.UUID) error
}

// Restores implements naksha.backup.v1.RestoreService.
type Restores struct {
	backupv1.UnimplementedRestoreServiceServer
	Store RestoreStore
	Clock clock.Clock
	Kick  func() // wakes the workers
}

// CreateRestore orders a restore.
func (s Restores) CreateRestore(ctx context.Context, r *backupv1.CreateRestoreRequest) (*backupv1.CreateRestoreResponse, error) {
	ref, err := refOf(r.GetParent())
	if err != nil {
		return nil, err
	}
	owner, from, err := split(r.GetSnapshot(), "snapshots")
	if err != nil {
		return nil, err
	}
	if owner != ref {
		return nil, fault.Invalid("SNAPSHOT_FOREIGN", "The snapshot is one of another workspace.").
			WithRemedy("Name a snapshot of %s.", r.GetParent()).WithField("snapshot", "must begin with parent")
	}
	if err := s.Store.Covered(ctx, ref, from); err != nil {
		return nil, err
	}
	key, err := request.KeyOf("CreateRestore", ref, r.GetRequestId(), r.GetParent(), r.GetSnapshot(), r.GetRegion())
	if err != nil {
		return nil, err
	}
	id, err := s.Store.CreateRestore(ctx, key, from, r.GetRegion())
	if err != nil {
		return nil, err
	}
	s.Kick()
	found, err := s.Store.Restore(ctx, ref, id)
	if err != nil {
		return nil, err
	}
	return &backupv1.CreateRestoreResponse{Restore: restoreMessage(found)}, nil
}

// GetRestore shows one restore.
func (s Restores) GetRestore(ctx context.Context, r *backupv1.GetRestoreRequest) (*backupv1.GetRestoreResponse, error) {
	ref, id, err := split(r.GetName(), "restores")
	if err != nil {
		return nil, err
	}
	found, err := s.Store.Restore(ctx, ref, id)
	if err != nil {
		return nil, err
	}
	return &backupv1.GetRestoreResponse{Restore: restoreMessage(found)}, nil
}

// ListRestores lists a page of a workspace's restores.
func (s Restores) ListRestores(ctx context.Context, r *backupv1.ListRestoresRequest) (*backupv1.ListRestoresResponse, error) {
	ref, err := refOf(r.GetParent())
	if err != nil {
		return nil, err
	}
	page, err := windowOf("restores of "+ref, r.GetPageSize(), r.GetPageToken())
	if err != nil {
		return nil, err
	}
	found, err := s.Store.Restores(ctx, ref, page.from, page.size+1)
	if err != nil {
		return nil, err
	}
	reply := &backupv1.ListRestoresResponse{}
	if len(found) > page.size {
		found = found[:page.size]
		last := found[page.size-1]
		reply.NextPageToken = page.next(last.CreatedAt, last.ID)
	}
	for _, f := range found {
		reply.Restores = append(reply.Restores, restoreMessage(f))
	}
	return reply, nil
}

// undoPoll is how often UndoRestore looks whether the workers are done.
const undoPoll = 50 * time.Millisecond

// UndoRestore orders the undo and waits for it as long as the call may take.
func (s Restores) UndoRestore(ctx context.Context, r *backupv1.UndoRestoreRequest) (*backupv1.UndoRestoreResponse, error) {
	ref, id, err := split(r.GetName(), "restores")
	if err != nil {
		return nil, err
	}
	if _, err := s.Store.Restore(ctx, ref, id); err != nil {
		return nil, err
	}
	if err := s.Store.Undo(ctx, ref, id); err != nil {
		return nil, err
	}
	s.Kick()
	found, err := s.await(ctx, ref, id)
	if err != nil {
		return nil, err
	}
	return &backupv1.UndoRestoreResponse{Restore: restoreMessage(found)}, nil
}

func (s Restores) await(ctx context.Context, ref string, id uuid.UUID) (restore.Restore, error) {
	for {
		found, err := s.Store.Restore(ctx, ref, id)
		if err == nil && found.State == restore.Undone {
			return found, nil
		}
		if err == nil {
			err = clock.Sleep(ctx, s.Clock, undoPoll)
		}
		if ctx.Err() != nil {
			return restore.Restore{}, fault.Unavailable("UNDO_RUNNING", "The undo is accepted and still under way.").
				WithRemedy("Call again, or poll GetRestore until its state is STATE_UNDONE.")
		}
		if err != nil {
			return restore.Restore{}, err
		}
	}
}
