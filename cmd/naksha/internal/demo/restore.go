package demo

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	backupv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/backup/v1"
)

// restore takes a snapshot, damages the shop, restores it, takes that back, damages it more, and restores it once more
// without the primary region; all the while the neighbour keeps a transaction open.
func restore(ctx context.Context, w *world, f *finding) error {
	w.progress("looking at both workspaces")
	before, err := w.shop.observe(ctx)
	if err != nil {
		return err
	}
	untouched, err := w.neighbour.observe(ctx)
	if err != nil {
		return err
	}
	f.note("tables", len(before.tables))
	f.note("rows", before.rows)
	snapshot, err := w.snapshot(ctx, f, before)
	if err != nil {
		return err
	}
	bystander, err := w.openBystander(ctx)
	if err != nil {
		return err
	}
	defer bystander.leave()
	if err := w.loseAndRestore(ctx, f, snapshot, before); err != nil {
		return err
	}
	if err := w.restoreWithoutPrimary(ctx, f, snapshot, before); err != nil {
		return err
	}
	if err := bystander.finish(ctx); err != nil {
		return fmt.Errorf("the neighbour's open transaction: %w", err)
	}
	after, err := w.neighbour.observe(ctx)
	if err != nil {
		return err
	}
	if err := after.sameAs(untouched); err != nil {
		return fmt.Errorf("the neighbour was touched: %w", err)
	}
	f.say("neighbour's transaction stayed open")
	return nil
}

// snapshot orders a snapshot and waits until it was read back from both regions.
func (w *world) snapshot(ctx context.Context, f *finding, now moment) (*backupv1.Snapshot, error) {
	w.progress("taking a snapshot")
	begin := time.Now()
	made := &backupv1.CreateSnapshotResponse{}
	order := &backupv1.CreateSnapshotRequest{Parent: w.shop.name, RequestId: newID()}
	if err := w.shop.door.REST(ctx, "POST", "/v1/"+w.shop.name+"/snapshots", order, made); err != nil {
		return nil, fmt.Errorf("order a snapshot: %w", err)
	}
	s, err := w.shop.awaitSnapshot(ctx, made.GetSnapshot().GetName())
	if err != nil {
		return nil, err
	}
	regions := slices.DeleteFunc(s.GetRegions(), func(c *backupv1.RegionCopy) bool { return c.GetVerifyTime() == nil })
	if len(regions) != 2 {
		return nil, fmt.Errorf("the snapshot is verified in %d regions of 2", len(regions))
	}
	if got, want := s.GetObjectCount(), int64(len(now.objects)); got != want {
		return nil, fmt.Errorf("the snapshot has %d objects, the bucket shows %d", got, want)
	}
	f.note("snapshot_seconds", time.Since(begin))
	f.note("stored_bytes", s.GetStoredBytes())
	f.say("snapshot of %d rows and %d objects in %s, read back from 2 regions", s.GetRowCount(), s.GetObjectCount(), Took(time.Since(begin)))
	return s, nil
}

func (ws *workspace) awaitSnapshot(ctx context.Context, name string) (s *backupv1.Snapshot, err error) {
	ctx, cancel := bounded(ctx, patience, "the snapshot")
	defer cancel()
	client := backupv1.NewSnapshotServiceClient(ws.door.GRPC())
	err = until(ctx, 50*time.Millisecond, func() (bool, error) {
		reply, err := client.GetSnapshot(ctx, &backupv1.GetSnapshotRequest{Name: name})
		if err != nil {
			return false, fmt.Errorf("ask for the snapshot: %w", err)
		}
		s = reply.GetSnapshot()
		if s.GetState() == backupv1.Snapshot_STATE_FAILED {
			return false, fmt.Errorf("the snapshot failed: %s: %s", s.GetError().GetReason(), s.GetError().GetMessage())
		}
		return s.GetState() == backupv1.Snapshot_STATE_VERIFIED, nil
	})
	return s, err
}

// loseAndRestore is the first round: everything runs, and the restore is taken back once it has been seen.
func (w *world) loseAndRestore(ctx context.Context, f *finding, s *backupv1.Snapshot, before moment) error {
	w.progress("losing a third, and restoring")
	left, err := w.lose(ctx, before, damage)
	if err != nil {
		return err
	}
	begin := time.Now()
	r, err := w.restoreFrom(ctx, s.GetName())
	if err != nil {
		return err
	}
	f.note("restore_seconds", time.Since(begin))
	f.say("restored in %s", Took(time.Since(begin)))
	if err := w.equals(ctx, before); err != nil {
		return fmt.Errorf("after the restore: %w", err)
	}
	f.say("%d tables and %d objects equal", len(before.tables), len(before.objects))
	if r.GetUndoSchema() == "" || !r.GetUndoExpireTime().AsTime().After(time.Now()) {
		return fmt.Errorf("no undo is offered: schema %q until %s", r.GetUndoSchema(), clock(r.GetUndoExpireTime()))
	}
	f.note("undo_until", clock(r.GetUndoExpireTime()))
	return w.undo(ctx, f, r.GetName(), left)
}

// undo takes a restore back, and sees the workspace as it was before it.
func (w *world) undo(ctx context.Context, f *finding, name string, left moment) error {
	w.progress("taking the restore back")
	begin := time.Now()
	if err := w.shop.door.REST(ctx, "POST", "/v1/"+name+":undo", &backupv1.UndoRestoreRequest{Name: name}, nil); err != nil {
		return fmt.Errorf("undo: %w", err)
	}
	if _, err := w.awaitRestore(ctx, name, backupv1.Restore_STATE_UNDONE); err != nil {
		return fmt.Errorf("undo: %w", err)
	}
	took := time.Since(begin)
	f.note("undo_seconds", took)
	if err := w.equals(ctx, left); err != nil {
		return fmt.Errorf("after the undo: %w", err)
	}
	f.say("undone in %s", Took(took))
	return nil
}

// restoreWithoutPrimary is the second round: the primary region's process stands still until the rows are back.
func (w *world) restoreWithoutPrimary(ctx context.Context, f *finding, s *backupv1.Snapshot, before moment) error {
	w.progress("losing more, and restoring without the primary region")
	if _, err := w.lose(ctx, before, moreDamage); err != nil {
		return err
	}
	resume, err := w.platform.pause("primary")
	if err != nil {
		return err
	}
	defer resume()
	begin := time.Now()
	r, err := w.restoreFrom(ctx, s.GetName())
	if err != nil {
		return fmt.Errorf("without the primary region: %w", err)
	}
	if r.GetRegion() != "dr" {
		return fmt.Errorf("without the primary region: read from %q", r.GetRegion())
	}
	f.note("restore_without_primary_seconds", time.Since(begin))
	f.say("once more, without the primary region, in %s", Took(time.Since(begin)))
	rows, err := observeSQL(ctx, w.shop.sql)
	if err != nil {
		return err
	}
	rows.objects = before.objects // they are looked at when the bucket answers again
	if err := rows.sameAs(before); err != nil {
		return fmt.Errorf("after the restore without the primary region: %w", err)
	}
	resume()
	return w.objectsReturn(ctx, f, before)
}

// objectsReturn waits until the region that was away shows the snapshot's objects as well.
func (w *world) objectsReturn(ctx context.Context, f *finding, before moment) error {
	w.progress("waiting for the primary region's objects")
	ctx, cancel := bounded(ctx, patience, "the return of the primary region's objects")
	defer cancel()
	begin := time.Now()
	var last error
	err := until(ctx, 250*time.Millisecond, func() (bool, error) {
		last = w.equals(ctx, before)
		return last == nil, nil
	})
	if err != nil {
		return errors.Join(err, last)
	}
	f.note("objects_caught_up_seconds", time.Since(begin))
	return nil
}

// restoreFrom orders a restore, from whichever region answers, and waits for its end.
func (w *world) restoreFrom(ctx context.Context, snapshot string) (*backupv1.Restore, error) {
	client := backupv1.NewRestoreServiceClient(w.shop.door.GRPC())
	made, err := client.CreateRestore(ctx, &backupv1.CreateRestoreRequest{
		Parent: w.shop.name, Snapshot: snapshot, RequestId: newID(),
	})
	if err != nil {
		return nil, fmt.Errorf("order a restore: %w", err)
	}
	return w.awaitRestore(ctx, made.GetRestore().GetName(), backupv1.Restore_STATE_COMPLETED)
}

func (w *world) awaitRestore(ctx context.Context, name string, state backupv1.Restore_State) (r *backupv1.Restore, err error) {
	ctx, cancel := bounded(ctx, patience, "the restore")
	defer cancel()
	client := backupv1.NewRestoreServiceClient(w.shop.door.GRPC())
	err = until(ctx, 50*time.Millisecond, func() (bool, error) {
		reply, err := client.GetRestore(ctx, &backupv1.GetRestoreRequest{Name: name})
		if err != nil {
			return false, fmt.Errorf("ask for the restore: %w", err)
		}
		r = reply.GetRestore()
		if r.GetState() == backupv1.Restore_STATE_FAILED {
			return false, fmt.Errorf("the restore failed: %s: %s", r.GetError().GetReason(), r.GetError().GetMessage())
		}
		return r.GetState() == state, nil
	})
	return r, err
}

func (w *world) equals(ctx context.Context, before moment) error {
	now, err := w.shop.observe(ctx)
	if err != nil {
		return err
	}
	return now.sameAs(before)
}

func clock(t *timestamppb.Timestamp) string {
	if t == nil {
		return "-"
	}
	return t.AsTime().UTC().Format(time.RFC3339)
}
