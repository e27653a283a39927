package backup_test

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/google/uuid"

	"github.com/naksha-cloud/naksha/pkg/blob"
	"github.com/naksha-cloud/naksha/pkg/local"
	backupv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/backup/v1"
)

// folders is a bucket as S3 tools leave it that show folders: empty objects whose keys end in a slash.
var folders = map[string]string{
	"dir/": "", "dir/x": "in a folder", "dir/sub/": "", "lonely/": "", "a/": "", "a/b": "below a marker", "a-b/": "", "top": "beside them",
}

// putAll writes objects as a customer does: into the primary region.
func (w *world) putAll(t testing.TB, ref string, objects map[string]string) {
	t.Helper()
	store := bucket(t, w.primary)
	for _, key := range slices.Sorted(maps.Keys(objects)) {
		o := blob.PutOptions{Meta: map[string]string{"of": uuid.NewString()}}
		if _, err := store.Put(t.Context(), "w-"+ref, key, []byte(objects[key]), o); err != nil {
			t.Fatalf("put %q: %v", key, err)
		}
	}
}

// contents is what a region's bucket holds: of each key the bytes' hash and what goes with them.
func contents(t testing.TB, r *local.Region, ref string) map[string]string {
	t.Helper()
	store, found := bucket(t, r), map[string]string{}
	for v, err := range store.List(t.Context(), "w-"+ref, "") {
		if err != nil {
			t.Fatal(err)
		}
		body, err := store.ReadAll(t.Context(), "w-"+ref, v.Key, "")
		if err != nil {
			t.Fatalf("read %q: %v", v.Key, err)
		}
		about, err := store.Stat(t.Context(), "w-"+ref, v.Key, "")
		if err != nil {
			t.Fatalf("look at %q: %v", v.Key, err)
		}
		found[v.Key] = fmt.Sprintf("%x %s %v", sha256.Sum256(body), about.ContentType, about.Meta)
	}
	return found
}

func TestFolderMarkersComeBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	i := w.start(t)
	ref, _ := w.workspace(t)
	w.putAll(t, ref, folders)
	before := contents(t, w.primary, ref)
	s := i.verified(t, ref)
	if s.GetObjectCount() != int64(len(folders)) || len(before) != len(folders) {
		t.Fatalf("the snapshot has %d of %d objects, %d are listed", s.GetObjectCount(), len(folders), len(before))
	}
	for _, key := range slices.Backward(slices.Sorted(maps.Keys(folders))) { // a folder after what is in it
		if err := bucket(t, w.primary).Delete(t.Context(), "w-"+ref, key, ""); err != nil {
			t.Fatalf("delete %q: %v", key, err)
		}
	}
	if left := contents(t, w.primary, ref); len(left) != 0 {
		t.Fatalf("still there: %v", left)
	}
	i.restore(t, s.GetName(), "")
	for _, r := range w.regions() {
		compare(t, before, contents(t, r, ref))
	}
	again := i.verified(t, ref) // with the versions that the restore wrote
	if again.GetObjectCount() != int64(len(folders)) {
		t.Errorf("the snapshot after the restore has %d objects", again.GetObjectCount())
	}
}

func TestUndoBringsFolderMarkersBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	i := w.start(t)
	ref, _ := w.workspace(t)
	w.putAll(t, ref, map[string]string{"kept/": "", "kept/x": "before"})
	s := i.verified(t, ref)
	w.putAll(t, ref, map[string]string{"kept/x": "after", "new/": "", "new/x": "after", "alone/": ""})
	wanted := slices.Sorted(maps.Keys(contents(t, w.primary, ref)))
	r := i.restore(t, s.GetName(), "")
	if got := slices.Sorted(maps.Keys(contents(t, w.primary, ref))); !slices.Equal(got, []string{"kept/", "kept/x"}) {
		t.Errorf("restored: %q", got)
	}
	if _, err := i.restores.UndoRestore(operator(t), &backupv1.UndoRestoreRequest{Name: r.GetName()}); err != nil {
		t.Fatal(err)
	}
	i.awaitRestore(t, r.GetName(), backupv1.Restore_STATE_UNDONE)
	if got := slices.Sorted(maps.Keys(contents(t, w.primary, ref))); !slices.Equal(got, wanted) {
		t.Errorf("undone: %q, want %q", got, wanted)
	}
}

func TestMarkerThatCannotComeBackKeepsNoObjectAway(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	i := w.start(t)
	ref, _ := w.workspace(t)
	objects := map[string]string{"folder/": ""}
	for n := range 9 {
		objects[fmt.Sprint("object", n)] = "before"
	}
	w.putAll(t, ref, objects)
	before := contents(t, w.primary, ref)
	delete(before, "folder/")
	s := i.verified(t, ref)
	for key := range objects {
		if err := bucket(t, w.primary).Delete(t.Context(), "w-"+ref, key, ""); err != nil {
			t.Fatal(err)
		}
	}
	w.putAll(t, ref, map[string]string{"folder": "an object where the folder was"})
	i.restore(t, s.GetName(), "")
	compare(t, before, contents(t, w.primary, ref))
}

func TestMarkerThatNoRegionTakesEndsNoRestoreAndNoUndo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	i := w.start(t)
	ref, _ := w.workspace(t)
	w.putAll(t, ref, map[string]string{"folder/": "", "x": "1"})
	marker := i.verified(t, ref)
	i.restore(t, marker.GetName(), "") // now both regions have it
	for _, key := range []string{"folder/", "x"} {
		if err := bucket(t, w.primary).Delete(t.Context(), "w-"+ref, key, ""); err != nil {
			t.Fatal(err)
		}
	}
	w.putAll(t, ref, map[string]string{"folder": "an object where the folder was"})
	object := i.verified(t, ref)
	before := contents(t, w.primary, ref)
	r := i.restore(t, object.GetName(), "") // now both have the object
	if _, err := i.restores.UndoRestore(operator(t), &backupv1.UndoRestoreRequest{Name: r.GetName()}); err != nil {
		t.Fatal(err)
	}
	i.awaitRestore(t, r.GetName(), backupv1.Restore_STATE_UNDONE)
	compare(t, before, contents(t, w.primary, ref))
	i.restore(t, marker.GetName(), "")
	if got := slices.Sorted(maps.Keys(contents(t, w.primary, ref))); !slices.Equal(got, []string{"x"}) {
		t.Errorf("restored: %q, want all but the marker", got)
	}
}
