package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"

	"github.com/naksha-cloud/naksha/pkg/fault"
	backupv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/backup/v1"
)

const (
	snapshotColumns = "name state progress_percent snapshot_time row_count object_count stored_bytes error.message"
	restoreColumns  = "name snapshot state progress_percent region create_time end_time undo_schema error.message"
)

func (a *App) snapshotCommand() *cobra.Command {
	c := &cobra.Command{Use: "snapshot", Aliases: []string{"snapshots"}, Short: "Consistent copies of one workspace, verified in two regions"}
	c.AddCommand(a.listSnapshots(), a.getSnapshot(), a.createSnapshot(), a.watchSnapshot())
	return c
}

func (a *App) listSnapshots() *cobra.Command {
	var p pages
	return command(a, verb[*backupv1.ListSnapshotsRequest, *backupv1.ListSnapshotsResponse]{
		use: "list WORKSPACE", short: "List a workspace's snapshots, newest first", args: cobra.ExactArgs(1),
		columns: snapshotColumns, flags: p.flags,
		request: func(args []string) (*backupv1.ListSnapshotsRequest, error) {
			return &backupv1.ListSnapshotsRequest{Parent: named("workspaces", args[0]), PageSize: p.size, PageToken: p.token}, nil
		},
		client: func(c grpc.ClientConnInterface) rpc[*backupv1.ListSnapshotsRequest, *backupv1.ListSnapshotsResponse] {
			return backupv1.NewSnapshotServiceClient(c).ListSnapshots
		},
	})
}

func (a *App) getSnapshot() *cobra.Command {
	return command(a, verb[*backupv1.GetSnapshotRequest, *backupv1.GetSnapshotResponse]{
		use: "get NAME", short: "Show one snapshot", args: cobra.ExactArgs(1), columns: snapshotColumns,
		request: func(args []string) (*backupv1.GetSnapshotRequest, error) {
			return &backupv1.GetSnapshotRequest{Name: args[0]}, nil
		},
		client: func(c grpc.ClientConnInterface) rpc[*backupv1.GetSnapshotRequest, *backupv1.GetSnapshotResponse] {
			return backupv1.NewSnapshotServiceClient(c).GetSnapshot
		},
	})
}

func (a *App) createSnapshot() *cobra.Command {
	var detach bool
	return command(a, verb[*backupv1.CreateSnapshotRequest, *backupv1.CreateSnapshotResponse]{
		use: "create WORKSPACE", short: "Take a snapshot and wait until it is verified", args: cobra.ExactArgs(1),
		columns: snapshotColumns,
		flags:   func(c *cobra.Command) { c.Flags().BoolVar(&detach, "detach", false, "do not wait") },
		request: func(args []string) (*backupv1.CreateSnapshotRequest, error) {
			return &backupv1.CreateSnapshotRequest{Parent: named("workspaces", args[0])}, nil
		},
		client: func(c grpc.ClientConnInterface) rpc[*backupv1.CreateSnapshotRequest, *backupv1.CreateSnapshotResponse] {
			return backupv1.NewSnapshotServiceClient(c).CreateSnapshot
		},
		after: func(ctx context.Context, r *backupv1.CreateSnapshotResponse) (_ *backupv1.CreateSnapshotResponse, err error) {
			if !detach {
				r.Snapshot, err = a.awaitSnapshot(ctx, r.GetSnapshot().GetName())
			}
			return r, err
		},
	})
}

func (a *App) watchSnapshot() *cobra.Command {
	return &cobra.Command{
		Use: "watch NAME", Short: "Follow a snapshot until it ends", Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			s, err := a.awaitSnapshot(c.Context(), args[0])
			if err != nil {
				return err
			}
			return a.print(&backupv1.GetSnapshotResponse{Snapshot: s}, snapshotColumns)
		},
	}
}

func (a *App) awaitSnapshot(ctx context.Context, name string) (s *backupv1.Snapshot, err error) {
	conn, err := a.dial()
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	client := backupv1.NewSnapshotServiceClient(conn)
	err = a.poll(ctx, func(ctx context.Context) (string, bool, error) {
		r, err := client.GetSnapshot(ctx, &backupv1.GetSnapshotRequest{Name: name})
		if err != nil {
			return "", false, err
		}
		s = r.GetSnapshot()
		ended := s.GetState() == backupv1.Snapshot_STATE_VERIFIED || s.GetState() == backupv1.Snapshot_STATE_FAILED
		return progress(name, s.GetState(), s.GetProgressPercent(), s.GetError()), ended, nil
	})
	if err == nil && s.GetState() == backupv1.Snapshot_STATE_FAILED {
		err = problem("snapshot", s.GetError())
	}
	return s, goesOn(ctx, "snapshot", name, err)
}

func (a *App) restoreCommand() *cobra.Command {
	c := &cobra.Command{Use: "restore", Aliases: []string{"restores"}, Short: "Put one workspace back to a snapshot"}
	c.AddCommand(a.listRestores(), a.getRestore(), a.createRestore(), a.watchRestore(), a.undoRestore())
	return c
}

func (a *App) listRestores() *cobra.Command {
	var p pages
	return command(a, verb[*backupv1.ListRestoresRequest, *backupv1.ListRestoresResponse]{
		use: "list WORKSPACE", short: "List a workspace's restores, newest first", args: cobra.ExactArgs(1),
		columns: restoreColumns, flags: p.flags,
		request: func(args []string) (*backupv1.ListRestoresRequest, error) {
			return &backupv1.ListRestoresRequest{Parent: named("workspaces", args[0]), PageSize: p.size, PageToken: p.token}, nil
		},
		client: func(c grpc.ClientConnInterface) rpc[*backupv1.ListRestoresRequest, *backupv1.ListRestoresResponse] {
			return backupv1.NewRestoreServiceClient(c).ListRestores
		},
	})
}

func (a *App) getRestore() *cobra.Command {
	return command(a, verb[*backupv1.GetRestoreRequest, *backupv1.GetRestoreResponse]{
		use: "get NAME", short: "Show one restore", args: cobra.ExactArgs(1), columns: restoreColumns,
		request: func(args []string) (*backupv1.GetRestoreRequest, error) {
			return &backupv1.GetRestoreRequest{Name: args[0]}, nil
		},
		client: func(c grpc.ClientConnInterface) rpc[*backupv1.GetRestoreRequest, *backupv1.GetRestoreResponse] {
			return backupv1.NewRestoreServiceClient(c).GetRestore
		},
	})
}

func (a *App) createRestore() *cobra.Command {
	var detach bool
	var region string
	return command(a, verb[*backupv1.CreateRestoreRequest, *backupv1.CreateRestoreResponse]{
		use: "create WORKSPACE SNAPSHOT", short: "Restore a workspace and wait until it is live", args: cobra.ExactArgs(2),
		columns: restoreColumns, sure: "This replaces the live data of %s; the replaced data is kept for an undo",
		flags: func(c *cobra.Command) {
			c.Flags().BoolVar(&detach, "detach", false, "do not wait")
			c.Flags().StringVar(&region, "region", "", "read from primary or dr; default: whichever answers")
		},
		request: func(args []string) (*backupv1.CreateRestoreRequest, error) {
			parent := named("workspaces", args[0])
			return &backupv1.CreateRestoreRequest{Parent: parent, Snapshot: within(parent, "snapshots", args[1]), Region: region}, nil
		},
		client: func(c grpc.ClientConnInterface) rpc[*backupv1.CreateRestoreRequest, *backupv1.CreateRestoreResponse] {
			return backupv1.NewRestoreServiceClient(c).CreateRestore
		},
		after: func(ctx context.Context, r *backupv1.CreateRestoreResponse) (_ *backupv1.CreateRestoreResponse, err error) {
			if !detach {
				r.Restore, err = a.awaitRestore(ctx, r.GetRestore().GetName())
			}
			return r, err
		},
	})
}

func (a *App) watchRestore() *cobra.Command {
	return &cobra.Command{
		Use: "watch NAME", Short: "Follow a restore until it ends", Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			r, err := a.awaitRestore(c.Context(), args[0])
			if err != nil {
				return err
			}
			return a.print(&backupv1.GetRestoreResponse{Restore: r}, restoreColumns)
		},
	}
}

func (a *App) undoRestore() *cobra.Command {
	return command(a, verb[*backupv1.UndoRestoreRequest, *backupv1.UndoRestoreResponse]{
		use: "undo NAME", short: "Bring the replaced data back", args: cobra.ExactArgs(1), columns: restoreColumns,
		sure: "This replaces the restored data of %s by what was live before",
		request: func(args []string) (*backupv1.UndoRestoreRequest, error) {
			return &backupv1.UndoRestoreRequest{Name: args[0]}, nil
		},
		client: func(c grpc.ClientConnInterface) rpc[*backupv1.UndoRestoreRequest, *backupv1.UndoRestoreResponse] {
			return backupv1.NewRestoreServiceClient(c).UndoRestore
		},
	})
}

func (a *App) awaitRestore(ctx context.Context, name string) (r *backupv1.Restore, err error) {
	conn, err := a.dial()
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	client := backupv1.NewRestoreServiceClient(conn)
	err = a.poll(ctx, func(ctx context.Context) (string, bool, error) {
		reply, err := client.GetRestore(ctx, &backupv1.GetRestoreRequest{Name: name})
		if err != nil {
			return "", false, err
		}
		r = reply.GetRestore()
		ended := r.GetState() >= backupv1.Restore_STATE_COMPLETED
		return progress(name, r.GetState(), r.GetProgressPercent(), r.GetError()), ended, nil
	})
	if err == nil && r.GetState() == backupv1.Restore_STATE_FAILED {
		err = problem("restore", r.GetError())
	}
	return r, goesOn(ctx, "restore", name, err)
}

// progress is how far long work is, and why its last try failed.
func progress(name string, state fmt.Stringer, percent int32, last *backupv1.Problem) string {
	line := fmt.Sprintf("%s %s %d %%", name, enumWord(state.String()), percent)
	if last == nil {
		return line
	}
	return line + ": " + clean(last.GetMessage())
}

// goesOn says of an interrupted wait that the work goes on without it.
func goesOn(ctx context.Context, what, name string, err error) error {
	if err == nil || ctx.Err() == nil {
		return err
	}
	return fault.New(codes.Canceled, "WAIT_INTERRUPTED", "You stopped waiting; the %s goes on.", what).
		WithRemedy("Follow it with `naksha %s watch %s`.", what, name).WithCause(err)
}

func problem(what string, p *backupv1.Problem) error {
	return errors.New(what + " failed: " + p.GetMessage() + " " + p.GetRemedy())
}
