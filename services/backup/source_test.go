package backup_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/uuid"

	"github.com/naksha-cloud/naksha/pkg/service/servicetest"
	backupv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/backup/v1"
)

// spoil puts itself between the service and the primary region and answers for it where spoiled does, until it is healed.
func (w *world) spoil(t testing.TB, spoiled func(http.ResponseWriter, *http.Request) bool) (heal func()) {
	t.Helper()
	target, err := url.Parse(w.primary.Endpoint())
	if err != nil {
		t.Fatal(err)
	}
	var healed atomic.Bool
	proxy := &httputil.ReverseProxy{Transport: &http.Transport{DisableCompression: true}, Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(target)
		r.Out.Host = r.In.Host // is signed
	}}
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if healed.Load() || !spoiled(rw, r) {
			proxy.ServeHTTP(rw, r)
		}
	}))
	t.Cleanup(server.Close)
	w.config.Regions.Primary.Endpoint = server.URL
	return func() { healed.Store(true) }
}

// refuse answers as S3 does.
func refuse(rw http.ResponseWriter, status int, code string) bool {
	rw.WriteHeader(status)
	fmt.Fprintf(rw, "<Error><Code>%s</Code></Error>", code)
	return true
}

// unlisted answers a listing of versions of a workspace's bucket with none.
func unlisted(rw http.ResponseWriter, r *http.Request) bool {
	if !strings.HasPrefix(r.URL.Path, "/w-") || !r.URL.Query().Has("versions") {
		return false
	}
	fmt.Fprint(rw, "<ListVersionsResult><IsTruncated>false</IsTruncated></ListVersionsResult>")
	return true
}

func TestSnapshotFailsWhenAnObjectCannotBeRead(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	heal := w.spoil(t, func(rw http.ResponseWriter, r *http.Request) bool {
		return strings.HasPrefix(r.URL.Path, "/w-") && strings.HasSuffix(r.URL.Path, "/b") && refuse(rw, http.StatusNotFound, "NoSuchKey")
	})
	i := w.start(t)
	ref, _ := w.workspace(t)
	w.putAll(t, ref, map[string]string{"a": "1", "b": "2", "c": "3"})
	s := i.snapshot(t, ref)
	if s.GetState() != backupv1.Snapshot_STATE_FAILED || s.GetError().GetReason() != "OBJECT_UNREADABLE" ||
		!strings.Contains(s.GetError().GetMessage(), `"b"`) || s.GetError().GetRemedy() == "" {
		t.Errorf("snapshot ended as %v", s)
	}
	heal()
	if s = i.verified(t, ref); s.GetObjectCount() != 3 || s.GetError() != nil {
		t.Errorf("snapshot afterwards: %v", s)
	}
}

func TestSnapshotWaitsForTheObjectsAndTellsWhy(t *testing.T) {
	t.Parallel()
	for reason, spoiled := range map[string]func(http.ResponseWriter, *http.Request) bool{
		"OBJECTS_UNREACHABLE": func(rw http.ResponseWriter, _ *http.Request) bool {
			return refuse(rw, http.StatusServiceUnavailable, "ServiceUnavailable")
		},
		"OBJECTS_UNLISTED": unlisted,
	} {
		t.Run(reason, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			heal := w.spoil(t, spoiled)
			i := w.start(t)
			ref, _ := w.workspace(t)
			w.putAll(t, ref, map[string]string{"a": "1", "b": "2", "c": "3"})
			before := contents(t, w.primary, ref)
			created, err := i.snapshots.CreateSnapshot(operator(t), &backupv1.CreateSnapshotRequest{
				Parent: "workspaces/" + ref, RequestId: uuid.NewString(),
			})
			if err != nil {
				t.Fatal(err)
			}
			i.awaitReason(t, created.GetSnapshot().GetName(), reason)
			heal()
			s := i.awaitSnapshot(t, created.GetSnapshot().GetName())
			if s.GetState() != backupv1.Snapshot_STATE_VERIFIED || s.GetObjectCount() != 3 || s.GetError() != nil {
				t.Fatalf("snapshot ended as %v", s)
			}
			i.restore(t, s.GetName(), "dr")
			compare(t, before, contents(t, w.primary, ref))
		})
	}
}

func TestSnapshotThatFailedForWhatWasAwayIsFollowedSoon(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.config.Patience = 1
	w.spoil(t, func(rw http.ResponseWriter, _ *http.Request) bool {
		return refuse(rw, http.StatusServiceUnavailable, "ServiceUnavailable")
	})
	i := w.start(t)
	ref, _ := w.workspace(t) // its own time is not within the hour
	platform := login(t, w.config.DatabaseURL.Reveal())
	if s := i.snapshot(t, ref); s.GetState() != backupv1.Snapshot_STATE_FAILED || s.GetError().GetReason() != "OBJECTS_UNREACHABLE" {
		t.Fatalf("snapshot ended as %v", s)
	}
	if !scan[bool](t, platform, "SELECT due_at <= now() + interval '1 hour' FROM workspace WHERE ref = $1", ref) {
		t.Error("the next snapshot is not due within the hour")
	}
}

// awaitReason waits until a snapshot that goes on tells why it does not progress.
func (i *instance) awaitReason(t testing.TB, name, reason string) {
	t.Helper()
	servicetest.Eventually(t, func() error {
		r, err := i.snapshots.GetSnapshot(operator(t), &backupv1.GetSnapshotRequest{Name: name})
		if err != nil {
			return err
		}
		if s := r.GetSnapshot(); s.GetState() != backupv1.Snapshot_STATE_RUNNING || s.GetError().GetReason() != reason {
			return fmt.Errorf("snapshot is %v", s)
		}
		return nil
	})
}
