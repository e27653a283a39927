package backup_test

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/naksha-cloud/naksha/pkg/blob"
	"github.com/naksha-cloud/naksha/pkg/local"
	"github.com/naksha-cloud/naksha/pkg/service/servicetest"
	backupv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/backup/v1"
)

// cities makes a small workspace with rows and one object.
func (w *world) cities(t testing.TB) (ref string, before map[string]string, damage func()) {
	t.Helper()
	ref, customer := w.workspace(t)
	run(t, customer, "CREATE TABLE city (id int PRIMARY KEY, name text)", "CREATE INDEX ON city (name)",
		"INSERT INTO city SELECT n, 'city ' || n FROM generate_series(1, 1000) n")
	for _, r := range w.regions() {
		if _, err := bucket(t, r).Put(t.Context(), "w-"+ref, "map.png", []byte("a map"), blob.PutOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	return ref, w.state(t, ref), func() { run(t, customer, "DELETE FROM city WHERE id % 3 = 0", "DROP INDEX city_name_idx") }
}

func copyOf(s *backupv1.Snapshot, region string) *backupv1.RegionCopy {
	at := slices.IndexFunc(s.GetRegions(), func(c *backupv1.RegionCopy) bool { return c.GetRegion() == region })
	if at < 0 {
		return nil
	}
	return s.GetRegions()[at]
}

func TestSnapshotSucceedsInOneRegionAndIsMadeUpForInTheOther(t *testing.T) {
	t.Parallel()
	for without, lose := range map[string]func(t *testing.T, w *world) (comeBack func()){
		"primary": func(t *testing.T, w *world) func() { // of which only the workspaces' buckets are left
			return w.spoil(t, func(rw http.ResponseWriter, r *http.Request) bool {
				return strings.HasPrefix(r.URL.Path, "/naksha-backups") && refuse(rw, http.StatusServiceUnavailable, "ServiceUnavailable")
			})
		},
		"dr": func(t *testing.T, w *world) func() {
			stopRegion(t, w.dr)
			return func() { w.comeBack(t, w.dr) }
		},
	} {
		t.Run("without "+without, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			ref, before, damage := w.cities(t)
			comeBack := lose(t, w)
			i := w.start(t)
			s := i.snapshot(t, ref)
			if s.GetState() != backupv1.Snapshot_STATE_VERIFIED || copyOf(s, without).GetError() == "" || copyOf(s, without).GetVerifyTime() != nil {
				t.Fatalf("snapshot without %s: %v", without, s)
			}
			if s.GetObjectCount() != 1 {
				t.Errorf("%d objects", s.GetObjectCount())
			}
			comeBack()
			servicetest.Eventually(t, func() error {
				now := i.awaitSnapshot(t, s.GetName())
				if c := copyOf(now, without); c.GetVerifyTime() == nil || c.GetError() != "" {
					return fmt.Errorf("copy is %v", c)
				}
				return nil
			})
			damage()
			i.restore(t, s.GetName(), without)
			compare(t, before, w.state(t, ref))
		})
	}
}

func TestRestoreNeedsOneRegionOnly(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	i := w.start(t)
	ref, before, damage := w.cities(t)
	s := i.verified(t, ref)
	objects := w.objects(t, ref)
	damage()
	w.damageObjects(t, ref)
	// The primary dies when the restore has read the manifest from it.
	var stopped bool
	w.tenant.intercept(func(method string) error {
		if method == "StageRestore" && !stopped {
			stopped = true
			return w.primary.Kill()
		}
		return nil
	})
	r := i.restore(t, s.GetName(), "")
	compare(t, before, w.state(t, ref))
	if r.GetRegion() != "dr" {
		t.Errorf("restored from %q", r.GetRegion())
	}
	w.primary = w.comeBack(t, w.primary)
	servicetest.Eventually(t, func() error { // the objects of the region that was away follow
		for key, want := range objects {
			if got := w.objects(t, ref)[key]; got != want {
				return fmt.Errorf("%s is %q, want %q", key, got, want)
			}
		}
		return nil
	})
}

func TestSnapshotFailsWhenNoRegionAnswers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.config.Patience = 1
	ref, _, _ := w.cities(t)
	stopRegion(t, w.primary)
	stopRegion(t, w.dr)
	i := w.start(t)
	facts := w.env.Listen("naksha.feed.backup.v1.snapshot_failed." + ref)
	s := i.snapshot(t, ref)
	if s.GetState() != backupv1.Snapshot_STATE_FAILED || s.GetError().GetReason() == "" || s.GetError().GetRemedy() == "" {
		t.Errorf("snapshot ended as %v", s)
	}
	select {
	case <-facts:
	case <-t.Context().Done():
		t.Error("nobody was told")
	}
}

// pieces are the keys of a snapshot's stored objects in a region.
func pieces(t testing.TB, r *local.Region, bucketName, snapshot string) (keys []string) {
	t.Helper()
	id := snapshot[strings.LastIndex(snapshot, "/")+1:]
	for v, err := range bucket(t, r).List(t.Context(), bucketName, "") {
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(v.Key, id) || strings.Contains(v.Key, "/objects/") {
			keys = append(keys, v.Key)
		}
	}
	return keys
}

func TestDamageIsDetectedAndTheOtherRegionIsUsed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.config.Patience = 1
	i := w.start(t)
	ref, before, damage := w.cities(t)
	servicetest.Eventually(t, func() error { // without patience, a snapshot does not wait for its login
		if w.rotation.acked() != 1 {
			return errors.New("the reader's login is not redeemed")
		}
		return nil
	})
	s := i.verified(t, ref)
	damage()
	w.damageObjects(t, ref)
	if err := bucket(t, w.primary).Delete(t.Context(), "w-"+ref, "map.png", ""); err != nil {
		t.Fatal(err)
	}
	damaged := w.state(t, ref)
	keys := pieces(t, w.primary, "naksha-backups", s.GetName())
	if len(keys) != 3 {
		t.Fatalf("pieces: %q", keys)
	}
	store := bucket(t, w.primary)
	for n, key := range keys {
		body, err := store.ReadAll(t.Context(), "naksha-backups", key, "")
		if err != nil {
			t.Fatal(err)
		}
		flipped := slices.Clone(body)
		flipped[len(flipped)/2] ^= 1
		damages := map[string][]byte{"flipped": flipped, "truncated": body[:len(body)-1], "empty": {}, "deleted": nil}
		names := []string{"flipped", "truncated", "empty", "deleted"}
		for _, name := range names[n:min(len(names), n+2)] {
			if damages[name] == nil {
				err = store.Delete(t.Context(), "naksha-backups", key, "")
			} else {
				_, err = store.Put(t.Context(), "naksha-backups", key, damages[name], blob.PutOptions{})
			}
			if err != nil {
				t.Fatal(err)
			}
			r := i.awaitRestore(t, i.beginRestore(t, s.GetName(), "primary"), backupv1.Restore_STATE_FAILED)
			if r.GetError().GetReason() != "SNAPSHOT_DAMAGED" {
				t.Errorf("%s %s: %v", name, key, r.GetError())
			}
			compare(t, damaged, w.state(t, ref))
		}
	}
	if r := i.restore(t, s.GetName(), ""); r.GetRegion() != "dr" {
		t.Errorf("restored from %q", r.GetRegion())
	}
	compare(t, before, w.state(t, ref))

	// A later snapshot finds the damaged chunk in the primary and mends it.
	i.verified(t, ref)
}

func TestRestoreFailsBeforeTheSwapWithoutTouchingAnything(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	i := w.start(t)
	ref, _, damage := w.cities(t)
	s := i.verified(t, ref)
	damage()
	damaged, objects := w.state(t, ref), w.objects(t, ref)
	facts := w.env.Listen("naksha.feed.backup.v1.restore_failed." + ref)
	w.tenant.intercept(func(method string) error {
		if method == "StageRestore" {
			return errors.New("no")
		}
		return nil
	})
	r := i.awaitRestore(t, i.beginRestore(t, s.GetName(), ""), backupv1.Restore_STATE_FAILED)
	if r.GetError().GetReason() != "INTERNAL" {
		t.Errorf("error is %v", r.GetError())
	}
	compare(t, damaged, w.state(t, ref))
	compare(t, objects, w.objects(t, ref))
	select {
	case <-facts:
	case <-t.Context().Done():
		t.Error("nobody was told")
	}
}
