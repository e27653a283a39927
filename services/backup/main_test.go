package backup_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/naksha-cloud/naksha/pkg/blob"
	"github.com/naksha-cloud/naksha/pkg/caller"
	"github.com/naksha-cloud/naksha/pkg/clock"
	"github.com/naksha-cloud/naksha/pkg/local"
	"github.com/naksha-cloud/naksha/pkg/local/localtest"
	"github.com/naksha-cloud/naksha/pkg/obs"
	"github.com/naksha-cloud/naksha/pkg/seal"
	"github.com/naksha-cloud/naksha/pkg/service/servicetest"
	backupv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/backup/v1"
	"github.com/naksha-cloud/naksha/services/backup"
	"github.com/naksha-cloud/naksha/services/backup/internal/schedule"
)

func TestMain(m *testing.M) { os.Exit(localtest.Run(m)) }

// world is everything that one test's backup service stands on: real databases, bus and regions, and the two services
// that it asks, reduced to what it asks of them.
type world struct {
	env         *servicetest.Env
	config      backup.Config
	cell        *pgx.Conn // of the cell's database, as superuser
	cellURL     string
	primary, dr *local.Region
	dirs        map[string]string // of the regions, by name
	tenant      *tenant
	rotation    *rotation
	clock       clock.Clock
	roles       []string // of the shared cluster, members before what they are members of
}

// newWorld makes the surroundings; the service is not started.
func newWorld(t testing.TB) *world {
	t.Helper()
	return newWorldOn(t, localtest.Database(t))
}

// newWorldOn is newWorld with a cell of the caller's.
func newWorldOn(t testing.TB, cellURL string) *world {
	t.Helper()
	w := &world{env: servicetest.New(t), cellURL: cellURL}
	t.Cleanup(func() { w.sweep(t) })
	w.cell = login(t, w.cellURL)
	w.dirs = map[string]string{"primary": localtest.TempDir(t), "dr": localtest.TempDir(t)}
	w.primary, w.dr = w.startRegion(t, "primary", localtest.Port(t)), w.startRegion(t, "dr", localtest.Port(t))
	w.config = backup.DefaultConfig()
	w.config.Config = w.env.Config("backup")
	w.config.RootKeyFile = filepath.Join(localtest.TempDir(t), "root.key")
	if _, err := seal.MakeRoot(w.config.RootKeyFile); err != nil {
		t.Fatal(err)
	}
	w.config.Regions.Primary.Endpoint, w.config.Regions.DR.Endpoint = w.primary.Endpoint(), w.dr.Endpoint()
	for _, r := range []*backup.Region{&w.config.Regions.Primary, &w.config.Regions.DR} {
		r.AccessKey, r.SecretKey = localtest.RootAccess, localtest.RootSecret
	}
	w.config.Poll, w.config.Retry, w.config.Patience = 100*time.Millisecond, 200*time.Millisecond, localtest.Patience
	w.tenant, w.rotation = startTenant(t, w), startRotation(t, w)
	w.config.Peers["tenant"], w.config.Peers["rotation"] = w.tenant.core.Addr(), w.rotation.core.Addr()
	return w
}

// startRegion starts a region; it stops with the test, if it has not before.
func (w *world) startRegion(t testing.TB, name string, port int) *local.Region {
	t.Helper()
	r, err := local.StartRegion(t.Context(), local.RegionConfig{
		Name: name, Dir: w.dirs[name], Port: port, RootAccess: localtest.RootAccess, RootSecret: localtest.RootSecret, SealKey: []byte(localtest.SealKey),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stopRegion(t, r) })
	return r
}

func stopRegion(t testing.TB, r *local.Region) {
	ctx, cancel := context.WithTimeout(context.Background(), localtest.Patience)
	defer cancel()
	if err := r.Stop(ctx); err != nil {
		t.Errorf("stop region: %v", err)
	}
}

// comeBack starts a stopped region again at its old address.
func (w *world) comeBack(t testing.TB, r *local.Region) *local.Region {
	t.Helper()
	u, err := url.Parse(r.Endpoint())
	if err != nil {
		t.Fatal(err)
	}
	port, err := strconv.Atoi(u.Port())
	if err != nil {
		t.Fatal(err)
	}
	return w.startRegion(t, r.Name(), port)
}

// instance is a started service and clients of it.
type instance struct {
	*backup.Service
	snapshots backupv1.SnapshotServiceClient // as the gateway, for an operator
	restores  backupv1.RestoreServiceClient  // likewise
}

// start starts one instance; it stops with the test.
func (w *world) start(t testing.TB) *instance {
	t.Helper()
	s := w.make(t)
	servicetest.Start(t, s)
	return w.clients(s)
}

// make makes an instance that nobody starts or stops.
func (w *world) make(t testing.TB) *backup.Service {
	t.Helper()
	deps := backup.Deps{Clock: w.clock}
	if os.Getenv("NAKSHA_TEST_LOG") != "" {
		telemetry, err := obs.New(obs.Config{Service: "backup", Format: "text"}, os.Stderr)
		if err != nil {
			t.Fatal(err)
		}
		deps.Telemetry = telemetry
	}
	s, err := backup.New(w.config, deps)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (w *world) clients(s *backup.Service) *instance {
	conn := w.env.Dial("gateway", "backup", s.Addr())
	return &instance{
		Service: s, snapshots: backupv1.NewSnapshotServiceClient(conn), restores: backupv1.NewRestoreServiceClient(conn),
	}
}

// operator is the context of a call that the gateway makes for an operator.
func operator(t testing.TB) context.Context {
	return caller.With(t.Context(), caller.Caller{Principal: "operatorkey1", Kind: caller.Admin})
}

// snapshot takes a snapshot and waits for its end.
func (i *instance) snapshot(t testing.TB, ref string) *backupv1.Snapshot {
	t.Helper()
	created, err := i.snapshots.CreateSnapshot(operator(t), &backupv1.CreateSnapshotRequest{
		Parent: "workspaces/" + ref, RequestId: uuid.NewString(),
	})
	if err != nil {
		t.Fatalf("create snapshot: %v", err)
	}
	return i.awaitSnapshot(t, created.GetSnapshot().GetName())
}

func (i *instance) awaitSnapshot(t testing.TB, name string) (s *backupv1.Snapshot) {
	t.Helper()
	servicetest.Eventually(t, func() error {
		r, err := i.snapshots.GetSnapshot(operator(t), &backupv1.GetSnapshotRequest{Name: name})
		if err != nil {
			return err
		}
		s = r.GetSnapshot()
		if s.GetState() < backupv1.Snapshot_STATE_VERIFIED {
			return fmt.Errorf("%s is %s", name, s.GetState())
		}
		return nil
	})
	return s
}

// verified is snapshot that must succeed in both regions.
func (i *instance) verified(t testing.TB, ref string) *backupv1.Snapshot {
	t.Helper()
	s := i.snapshot(t, ref)
	if s.GetState() != backupv1.Snapshot_STATE_VERIFIED {
		t.Fatalf("snapshot ended as %v", s)
	}
	for _, r := range s.GetRegions() {
		if r.GetVerifyTime() == nil {
			t.Fatalf("region is not verified: %v", r)
		}
	}
	return s
}

// restore restores and waits for the end.
func (i *instance) restore(t testing.TB, snapshot, region string) *backupv1.Restore {
	t.Helper()
	return i.awaitRestore(t, i.beginRestore(t, snapshot, region), backupv1.Restore_STATE_COMPLETED)
}

func (i *instance) beginRestore(t testing.TB, snapshot, region string) string {
	t.Helper()
	r, err := i.restores.CreateRestore(operator(t), &backupv1.CreateRestoreRequest{
		Parent: parentOf(snapshot), Snapshot: snapshot, Region: region, RequestId: uuid.NewString(),
	})
	if err != nil {
		t.Fatalf("create restore: %v", err)
	}
	return r.GetRestore().GetName()
}

func (i *instance) awaitRestore(t testing.TB, name string, want backupv1.Restore_State) (found *backupv1.Restore) {
	t.Helper()
	servicetest.Eventually(t, func() error {
		r, err := i.restores.GetRestore(operator(t), &backupv1.GetRestoreRequest{Name: name})
		if err != nil {
			return err
		}
		found = r.GetRestore()
		if found.GetState() < backupv1.Restore_STATE_COMPLETED {
			return fmt.Errorf("%s is %s", name, found.GetState())
		}
		return nil
	})
	if found.GetState() != want {
		t.Fatalf("restore ended as %v", found)
	}
	return found
}

func parentOf(name string) string { return strings.Join(strings.Split(name, "/")[:2], "/") }

// login is a session that ends with the test.
func login(t testing.TB, databaseURL string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), databaseURL)
	if err != nil {
		t.Fatalf("log in: %v", err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

// asUser is a connection string with another user.
func asUser(t testing.TB, databaseURL, user, password string) string {
	t.Helper()
	u, err := url.Parse(databaseURL)
	if err != nil {
		t.Fatal(err)
	}
	u.User = url.UserPassword(user, password)
	return u.String()
}

func run(t testing.TB, conn *pgx.Conn, statements ...string) {
	t.Helper()
	for _, s := range statements {
		if _, err := conn.Exec(t.Context(), s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
}

func scan[T any](t testing.TB, conn *pgx.Conn, query string, args ...any) (v T) {
	t.Helper()
	if err := conn.QueryRow(t.Context(), query, args...).Scan(&v); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return v
}

// letters is a random ref whose daily snapshot is not due while a test runs.
func letters() string {
	text := make([]byte, 20)
	rand.Read(text)
	for i := range text {
		text[i] = 'a' + text[i]%26
	}
	if now := time.Now(); schedule.Next(string(text), now).Sub(now) < time.Hour {
		return letters()
	}
	return string(text)
}

// bucket is the client of a region that may do everything.
func bucket(t testing.TB, r *local.Region) *blob.Store {
	t.Helper()
	store, err := blob.Open(blob.Config{Endpoint: r.Endpoint(), AccessKey: localtest.RootAccess, SecretKey: localtest.RootSecret})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(store.Close)
	return store
}
