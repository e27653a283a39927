package backup_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/uuid"
	"google.golang.org/grpc/codes"

	"github.com/naksha-cloud/naksha/pkg/fault"
	"github.com/naksha-cloud/naksha/pkg/service/servicetest"
	backupv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/backup/v1"
)

func refused(t *testing.T, err error, code codes.Code, reason string) {
	t.Helper()
	if fault.CodeOf(err) != code || reason != "" && fault.ReasonOf(err) != reason {
		t.Errorf("got %v (%s), want %s %s", fault.CodeOf(err), fault.ReasonOf(err), code, reason)
	}
}

func TestBadRequestsAreRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	i := w.start(t)
	ref, _, _ := w.cities(t)
	stranger, _, _ := w.cities(t)
	s := i.verified(t, ref)
	parent, unknown := "workspaces/"+ref, "workspaces/"+letters()

	for name, bad := range map[string]string{
		"empty": "", "no ref": "workspaces/", "traversal": "workspaces/../" + ref, "capitals": "workspaces/" + strings.ToUpper(ref),
		"sql": "workspaces/'; DROP TABLE snapshot; --", "huge": "workspaces/" + strings.Repeat("a", 100000), "unicode": "workspaces/" + strings.Repeat("а", 20),
	} {
		_, err := i.snapshots.CreateSnapshot(operator(t), &backupv1.CreateSnapshotRequest{Parent: bad})
		refused(t, fmt.Errorf("%s: %w", name, err), codes.InvalidArgument, "")
		_, err = i.snapshots.ListSnapshots(operator(t), &backupv1.ListSnapshotsRequest{Parent: bad})
		refused(t, fmt.Errorf("%s: %w", name, err), codes.InvalidArgument, "")
	}
	_, err := i.snapshots.CreateSnapshot(operator(t), &backupv1.CreateSnapshotRequest{Parent: parent, RequestId: "1"})
	refused(t, err, codes.InvalidArgument, "")
	_, err = i.snapshots.CreateSnapshot(operator(t), &backupv1.CreateSnapshotRequest{Parent: unknown})
	refused(t, err, codes.NotFound, "WORKSPACE_NOT_FOUND")
	_, err = i.snapshots.GetSnapshot(operator(t), &backupv1.GetSnapshotRequest{Name: parent + "/snapshots/" + uuid.NewString()})
	refused(t, err, codes.NotFound, "SNAPSHOT_NOT_FOUND")
	_, err = i.snapshots.GetSnapshot(operator(t), &backupv1.GetSnapshotRequest{Name: parent + "/snapshots/------------------------------------"})
	refused(t, err, codes.InvalidArgument, "NAME_INVALID")
	_, err = i.snapshots.GetSnapshot(operator(t), &backupv1.GetSnapshotRequest{Name: strings.Replace(s.GetName(), ref, stranger, 1)})
	refused(t, err, codes.NotFound, "SNAPSHOT_NOT_FOUND")
	for _, token := range []string{"x", "bm90anNvbg", "e30%"} {
		_, err = i.snapshots.ListSnapshots(operator(t), &backupv1.ListSnapshotsRequest{Parent: parent, PageToken: token})
		refused(t, err, codes.InvalidArgument, "PAGE_TOKEN_INVALID")
	}
	_, err = i.restores.CreateRestore(operator(t), &backupv1.CreateRestoreRequest{Parent: "workspaces/" + stranger, Snapshot: s.GetName()})
	refused(t, err, codes.InvalidArgument, "SNAPSHOT_FOREIGN")
	_, err = i.restores.CreateRestore(operator(t), &backupv1.CreateRestoreRequest{Parent: parent, Snapshot: s.GetName(), Region: "mars"})
	refused(t, err, codes.InvalidArgument, "")
	_, err = i.restores.CreateRestore(operator(t), &backupv1.CreateRestoreRequest{Parent: parent, Snapshot: parent + "/snapshots/" + uuid.NewString()})
	refused(t, err, codes.NotFound, "SNAPSHOT_NOT_FOUND")
	_, err = i.restores.UndoRestore(operator(t), &backupv1.UndoRestoreRequest{Name: parent + "/restores/" + uuid.NewString()})
	refused(t, err, codes.NotFound, "RESTORE_NOT_FOUND")
}

func TestRequestIDMakesARepeatTheSame(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	i := w.start(t)
	ref, _, _ := w.cities(t)
	parent, id := "workspaces/"+ref, uuid.NewString()
	one, err := i.snapshots.CreateSnapshot(operator(t), &backupv1.CreateSnapshotRequest{Parent: parent, RequestId: id})
	if err != nil {
		t.Fatal(err)
	}
	two, err := i.snapshots.CreateSnapshot(operator(t), &backupv1.CreateSnapshotRequest{Parent: parent, RequestId: id})
	if err != nil || one.GetSnapshot().GetName() != two.GetSnapshot().GetName() {
		t.Errorf("repeat: %v, %v", two, err)
	}
	s := i.awaitSnapshot(t, one.GetSnapshot().GetName())
	other := i.verified(t, ref)

	block := make(chan struct{})
	w.tenant.intercept(func(string) error { <-block; return nil })
	id = uuid.NewString()
	order := &backupv1.CreateRestoreRequest{Parent: parent, Snapshot: s.GetName(), RequestId: id}
	first, err := i.restores.CreateRestore(operator(t), order)
	if err != nil {
		t.Fatal(err)
	}
	again, err := i.restores.CreateRestore(operator(t), order)
	if err != nil || first.GetRestore().GetName() != again.GetRestore().GetName() {
		t.Errorf("repeat: %v, %v", again, err)
	}
	_, err = i.restores.CreateRestore(operator(t), &backupv1.CreateRestoreRequest{Parent: parent, Snapshot: other.GetName(), RequestId: id})
	refused(t, err, codes.AlreadyExists, "REQUEST_ID_REUSED")
	_, err = i.restores.CreateRestore(operator(t), &backupv1.CreateRestoreRequest{Parent: parent, Snapshot: s.GetName()})
	refused(t, err, codes.FailedPrecondition, "RESTORE_ACTIVE")
	_, err = i.restores.UndoRestore(operator(t), &backupv1.UndoRestoreRequest{Name: first.GetRestore().GetName()})
	refused(t, err, codes.FailedPrecondition, "UNDO_NOT_POSSIBLE")
	close(block)
	i.awaitRestore(t, first.GetRestore().GetName(), backupv1.Restore_STATE_COMPLETED)
}

func TestListsArePagedNewestFirst(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	i := w.start(t)
	ref, _, _ := w.cities(t)
	var want []string
	for range 5 {
		want = append([]string{i.snapshot(t, ref).GetName()}, want...)
	}
	var got []string
	for token := ""; ; {
		r, err := i.snapshots.ListSnapshots(operator(t), &backupv1.ListSnapshotsRequest{Parent: "workspaces/" + ref, PageSize: 2, PageToken: token})
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range r.GetSnapshots() {
			got = append(got, s.GetName())
		}
		if token = r.GetNextPageToken(); token == "" {
			break
		}
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("listed %v, want %v", got, want)
	}
	for _, n := range []string{want[0], want[1]} {
		i.restore(t, n, "")
	}
	r, err := i.restores.ListRestores(operator(t), &backupv1.ListRestoresRequest{Parent: "workspaces/" + ref, PageSize: 1})
	if err != nil || len(r.GetRestores()) != 1 || r.GetRestores()[0].GetSnapshot() != want[1] || r.GetNextPageToken() == "" {
		t.Errorf("restores: %v, %v", r, err)
	}
}

func TestUndoBringsTheReplacedDataBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	i := w.start(t)
	ref, before, damage := w.cities(t)
	objects := w.objects(t, ref)
	s := i.verified(t, ref)
	damage()
	w.damageObjects(t, ref)
	damaged, damagedObjects := w.state(t, ref), w.objects(t, ref)
	first := i.restore(t, s.GetName(), "")
	second := i.restore(t, s.GetName(), "")
	if second.GetUndoSchema() == "" || second.GetUndoExpireTime() == nil {
		t.Errorf("no undo kept: %v", second)
	}
	_, err := i.restores.UndoRestore(operator(t), &backupv1.UndoRestoreRequest{Name: first.GetName()})
	refused(t, err, codes.FailedPrecondition, "UNDO_NOT_POSSIBLE")
	for range 2 { // a repeat changes nothing
		undone, err := i.restores.UndoRestore(operator(t), &backupv1.UndoRestoreRequest{Name: second.GetName()})
		if err != nil || undone.GetRestore().GetState() != backupv1.Restore_STATE_UNDONE {
			t.Fatalf("undo: %v, %v", undone, err)
		}
		compare(t, before, w.state(t, ref))
	}
	damage()
	w.damageObjects(t, ref)
	third := i.restore(t, s.GetName(), "")
	compare(t, objects, w.objects(t, ref))
	if _, err := i.restores.UndoRestore(operator(t), &backupv1.UndoRestoreRequest{Name: third.GetName()}); err != nil {
		t.Fatal(err)
	}
	compare(t, damaged, w.state(t, ref))
	compare(t, damagedObjects, w.objects(t, ref))
	servicetest.Eventually(t, func() error { // what the undone restores had staged and kept goes
		left := scan[int](t, w.cell, "SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'w\\_"+ref+"\\_\\_%'")
		roles := scan[int](t, w.cell, "SELECT count(*) FROM pg_roles WHERE rolname LIKE 'w\\_"+ref+"\\_\\_%'")
		if left != 1 || roles != 0 { // the first restore's undo is still kept
			return fmt.Errorf("%d schemas and %d logins are left", left, roles)
		}
		return nil
	})
}

func TestUndoIsDroppedWhenItsTimeIsOver(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.config.KeepUndo = 1
	i := w.start(t)
	ref, _, _ := w.cities(t)
	r := i.restore(t, i.verified(t, ref).GetName(), "")
	_, err := i.restores.UndoRestore(operator(t), &backupv1.UndoRestoreRequest{Name: r.GetName()})
	refused(t, err, codes.FailedPrecondition, "UNDO_EXPIRED")
	servicetest.Eventually(t, func() error {
		if left := scan[int](t, w.cell, "SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'w\\_"+ref+"\\_\\_%'"); left != 0 {
			return fmt.Errorf("%d schemas are left", left)
		}
		return nil
	})
}
