package cli

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"

	"google.golang.org/grpc"

	backupv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/backup/v1"
)

// copies is a backup service whose work never ends.
type copies struct {
	backupv1.UnimplementedSnapshotServiceServer
	backupv1.UnimplementedRestoreServiceServer
	seen func() // is called when somebody looks
	from chan string
}

const (
	oneSnapshot = "workspaces/x/snapshots/one"
	oneRestore  = "workspaces/x/restores/one"
)

func (c copies) CreateSnapshot(context.Context, *backupv1.CreateSnapshotRequest) (*backupv1.CreateSnapshotResponse, error) {
	return &backupv1.CreateSnapshotResponse{Snapshot: &backupv1.Snapshot{Name: oneSnapshot}}, nil
}

func (c copies) GetSnapshot(context.Context, *backupv1.GetSnapshotRequest) (*backupv1.GetSnapshotResponse, error) {
	c.seen()
	return &backupv1.GetSnapshotResponse{Snapshot: &backupv1.Snapshot{Name: oneSnapshot}}, nil
}

func (c copies) CreateRestore(_ context.Context, q *backupv1.CreateRestoreRequest) (*backupv1.CreateRestoreResponse, error) {
	c.from <- q.GetSnapshot()
	return &backupv1.CreateRestoreResponse{Restore: &backupv1.Restore{Name: oneRestore}}, nil
}

func (c copies) GetRestore(context.Context, *backupv1.GetRestoreRequest) (*backupv1.GetRestoreResponse, error) {
	c.seen()
	return &backupv1.GetRestoreResponse{Restore: &backupv1.Restore{Name: oneRestore}}, nil
}

func (c copies) serve(t *testing.T) target {
	t.Helper()
	return serve(t, func(s *grpc.Server) {
		backupv1.RegisterSnapshotServiceServer(s, c)
		backupv1.RegisterRestoreServiceServer(s, c)
	})
}

func TestInterruptedWaitSaysThatTheWorkGoesOn(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		"snapshot create x":             "naksha snapshot watch " + oneSnapshot,
		"snapshot watch " + oneSnapshot: "naksha snapshot watch " + oneSnapshot,
		"restore create x one --yes":    "naksha restore watch " + oneRestore,
	} {
		ctx, interrupt := context.WithCancel(t.Context())
		at := copies{seen: interrupt, from: make(chan string, 1)}.serve(t)
		got := at.run(ctx, strings.Fields(line)...)
		if got.code != exitError || !strings.Contains(got.err, "goes on") || !strings.Contains(got.err, want) {
			t.Errorf("%s: %+v", line, got)
		}
	}
}

func TestSnapshotOfARestoreMayBeNamedByItsIDAlone(t *testing.T) {
	t.Parallel()
	asked := make(chan string, 1)
	at := copies{from: asked}.serve(t)
	for _, snapshot := range []string{"one", oneSnapshot} {
		got := at.run(t.Context(), "restore", "create", "x", snapshot, "--yes", "--detach")
		if name := <-asked; name != oneSnapshot || got.code != exitOK {
			t.Errorf("%s: asked for %s: %+v", snapshot, name, got)
		}
	}
}

// stuck is a backup service that tells why a snapshot does not go on, and finishes it when that was told.
type stuck struct {
	backupv1.UnimplementedSnapshotServiceServer
	looks atomic.Int32
}

func (s *stuck) GetSnapshot(context.Context, *backupv1.GetSnapshotRequest) (*backupv1.GetSnapshotResponse, error) {
	if s.looks.Add(1) > 1 {
		return &backupv1.GetSnapshotResponse{Snapshot: &backupv1.Snapshot{Name: oneSnapshot, State: backupv1.Snapshot_STATE_VERIFIED}}, nil
	}
	return &backupv1.GetSnapshotResponse{Snapshot: &backupv1.Snapshot{
		Name: oneSnapshot, State: backupv1.Snapshot_STATE_RUNNING, Error: &backupv1.Problem{Message: "The cell refuses the login."},
	}}, nil
}

func TestWhoWaitsIsToldWhyTheWorkDoesNotGoOn(t *testing.T) {
	t.Parallel()
	for _, line := range []string{"snapshot get " + oneSnapshot, "snapshot watch " + oneSnapshot} {
		at := serve(t, func(s *grpc.Server) { backupv1.RegisterSnapshotServiceServer(s, &stuck{}) })
		got := at.run(t.Context(), strings.Fields(line)...)
		if got.code != exitOK || !strings.Contains(got.out+got.err, "The cell refuses the login.") {
			t.Errorf("%s: %+v", line, got)
		}
	}
}
