package tenant_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/minio/minio-go/v7"

	"github.com/naksha-cloud/naksha/pkg/blob"
	"github.com/naksha-cloud/naksha/pkg/clock"
	"github.com/naksha-cloud/naksha/pkg/local"
	"github.com/naksha-cloud/naksha/pkg/local/localtest"
	"github.com/naksha-cloud/naksha/pkg/pg"
	"github.com/naksha-cloud/naksha/pkg/seal"
	"github.com/naksha-cloud/naksha/pkg/service/servicetest"
	tenantv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/tenant/v1"
	"github.com/naksha-cloud/naksha/services/tenant"
	"github.com/naksha-cloud/naksha/services/tenant/internal/cell"
	"github.com/naksha-cloud/naksha/services/tenant/internal/provision"
	"github.com/naksha-cloud/naksha/services/tenant/internal/slot"
	"github.com/naksha-cloud/naksha/services/tenant/internal/store"
	"github.com/naksha-cloud/naksha/services/tenant/internal/store/bucketstore"
	"github.com/naksha-cloud/naksha/services/tenant/internal/store/cellstore"
)

// errCrash is what the process would have died of.
var errCrash = errors.New("crash")

// crash ends the process, as its surroundings see it, at one moment: moment 2n is before act n has its effect, 2n+1 right
// after. Acts are transactions, and single requests to a region.
type crash struct {
	mu     sync.Mutex
	at     int // moment; -1 = never
	passed int // moments
	dead   bool
	end    context.CancelFunc
}

func (c *crash) arm(at int, end context.CancelFunc) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at, c.passed, c.dead, c.end = at, 0, false, end
}

func (c *crash) act(f func() error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.moment() {
		return errCrash
	}
	err := f()
	if c.moment() {
		return errCrash
	}
	return err
}

func (c *crash) moment() bool {
	if c.passed == c.at {
		c.dead = true
		c.end()
	}
	c.passed++
	return c.dead
}

// proxy passes requests on to a region until the crash.
func (c *crash) proxy(t *testing.T, target string) (endpoint string) {
	t.Helper()
	to, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	forward := &httputil.ReverseProxy{
		Rewrite:   func(r *httputil.ProxyRequest) { r.SetURL(to); r.Out.Host = r.In.Host }, // the host is signed
		Transport: &http.Transport{DisableKeepAlives: true},
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		reply := httptest.NewRecorder()
		if c.act(func() error { forward.ServeHTTP(reply, r.WithContext(context.WithoutCancel(r.Context()))); return nil }) != nil {
			panic(http.ErrAbortHandler) // no reply
		}
		for name, values := range reply.Header() {
			w.Header()[name] = values
		}
		w.WriteHeader(reply.Code)
		_, _ = w.Write(reply.Body.Bytes())
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// workshop builds slots on real parts; each act passes the crash.
type workshop struct {
	*crash
	clock   *clock.Fake
	store   *store.Store
	cell    *cellstore.Cell
	regions []provision.Region
	places  map[string]provision.Place
	box     *seal.Box
}

func newWorkshop(t *testing.T, w *world) *workshop {
	t.Helper()
	shop := &workshop{crash: &crash{at: -1}, clock: clock.NewFake(time.Now()), places: map[string]provision.Place{}}
	pool := pg.New(pg.Config{URL: w.config.DatabaseURL.Reveal(), Clock: shop.clock})
	servicetest.Start(t, pool)
	if err := pg.Migrate(t.Context(), pool, store.Migrations(), "schema_version"); err != nil {
		t.Fatal(err)
	}
	shop.store = store.New(pool, func(context.Context, *pg.Tx, ...any) error { return nil })
	shop.cell = cellstore.New(cellstore.Config{Pool: pg.New(pg.Config{URL: w.cellURL}), Server: "server1"})
	servicetest.Start(t, shop.cell)
	shop.places[provision.CellPlace] = shop.cell
	for _, r := range []*local.Region{w.primary, w.dr} {
		region, err := bucketstore.Open(bucketstore.Config{
			Name: r.Name(), IAMEndpoint: shop.proxy(t, r.IAMEndpoint()),
			S3: blob.Config{Endpoint: shop.proxy(t, r.Endpoint()), AccessKey: localtest.RootAccess, SecretKey: localtest.RootSecret},
		})
		if err != nil {
			t.Fatal(err)
		}
		servicetest.Start(t, region)
		shop.regions, shop.places[r.Name()] = append(shop.regions, region), region
	}
	var err error
	if shop.box, err = seal.NewBox(make([]byte, seal.KeySize)); err != nil {
		t.Fatal(err)
	}
	return shop
}

// build builds one slot and dies at a moment; -1 = never.
func (w *workshop) build(t *testing.T, at int) error {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	w.arm(at, cancel)
	defer w.arm(-1, cancel)
	return provision.NewBuilder(provision.Config{
		Slots: w, Cell: w, Regions: w.regions, Vault: w, CellID: "cell1", Inline: 1,
	}).Build(ctx)
}

func (w *workshop) Seal(name string, value []byte) ([]byte, error) {
	return w.box.Seal(name, value), nil
}

func (w *workshop) BeginSlot(ctx context.Context, cell string, lease time.Duration) (b slot.Slot, err error) {
	err = w.act(func() error { b, err = w.store.BeginSlot(ctx, cell, lease); return err })
	return b, err
}

func (w *workshop) FinishSlot(ctx context.Context, b slot.Slot, secrets []byte) error {
	return w.act(func() error { return w.store.FinishSlot(ctx, b, secrets) })
}

func (w *workshop) AbandonSlot(context.Context, slot.Slot) error { return nil } // the dead abandon nothing

func (w *workshop) CountSlots(ctx context.Context, cell string) (provision.Count, error) {
	return w.store.CountSlots(ctx, cell)
}

func (w *workshop) BuildSlot(ctx context.Context, ref, verifier string, connections int) error {
	return w.act(func() error { return w.cell.BuildSlot(context.WithoutCancel(ctx), ref, verifier, connections) })
}

// reconcile returns the differences that concern this test: roles are of the whole test cluster.
func (w *workshop) reconcile(t *testing.T) []provision.Finding {
	t.Helper()
	rows, err := w.store.Slots(t.Context(), "cell1")
	if err != nil {
		t.Fatal(err)
	}
	found, err := (&provision.Reconciler{
		Record: w.store, Places: w.places, CellID: "cell1", Log: slog.New(slog.DiscardHandler),
	}).Reconcile(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(found, func(f provision.Finding) bool {
		known := slices.ContainsFunc(rows, func(r provision.Row) bool { return r.Ref == f.Ref })
		return f.Where == provision.CellPlace && f.What == provision.Unknown && !known
	})
}

func TestSlotIsWholeWhereverItsBuilderDied(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	shop := newWorkshop(t, w)
	deaths := 0
	for shop.build(t, deaths) != nil {
		deaths++
		shop.clock.Advance(2 * time.Minute) // the lease of the dead ends
		if err := shop.build(t, -1); err != nil {
			t.Fatalf("build after the death at moment %d: %v", deaths-1, err)
		}
		count, err := shop.store.CountSlots(t.Context(), "cell1")
		if err != nil || count.Building+count.Abandoned != 0 {
			t.Fatalf("after the death at moment %d: %+v, %v", deaths-1, count, err)
		}
	}
	if deaths < 30 {
		t.Errorf("only %d moments to die at", deaths)
	}
	if found := shop.reconcile(t); len(found) != 0 {
		t.Errorf("record and world differ: %v", found)
	}
	shop.wantUsable(t, w)
}

// wantUsable tries the sealed secrets of every slot on the database and in both regions.
func (w *workshop) wantUsable(t *testing.T, of *world) {
	t.Helper()
	platform := login(t, of.config.DatabaseURL.Reveal())
	rows, err := platform.Query(t.Context(), "SELECT ref, secrets FROM slot WHERE state = 'ready'")
	if err != nil {
		t.Fatal(err)
	}
	type sealed struct {
		Ref     string
		Secrets []byte
	}
	slots, err := pgx.CollectRows(rows, pgx.RowToStructByName[sealed])
	if err != nil || len(slots) == 0 {
		t.Fatalf("%d slots, %v", len(slots), err)
	}
	for _, s := range slots {
		plain, err := w.box.Open(slot.Name(s.Ref), s.Secrets)
		if err != nil {
			t.Fatal(err)
		}
		secrets, err := slot.DecodeSecrets(plain)
		if err != nil {
			t.Fatal(err)
		}
		if err := tryLogin(t, as(t, of.cellURL, cell.Owner{Ref: s.Ref}.Role(1), secrets.DatabasePassword)); err != nil {
			t.Errorf("slot %s: %v", s.Ref, err)
		}
		for _, r := range []*local.Region{of.primary, of.dr} {
			k := secrets.S3[r.Name()]
			_, err := s3(t, r, k.ID, k.Secret).PutObject(t.Context(), "w-"+s.Ref, "o", bytes.NewReader(nil), 0, minio.PutObjectOptions{})
			if err != nil {
				t.Errorf("slot %s in region %s: %v", s.Ref, r.Name(), err)
			}
		}
	}
}

func TestReconcilerRebuildsWhatIsNobodysAndReportsTheRest(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	shop := newWorkshop(t, w)
	if err := shop.build(t, -1); err != nil {
		t.Fatal(err)
	}
	rows, err := shop.store.Slots(t.Context(), "cell1")
	if err != nil {
		t.Fatal(err)
	}
	ref, foreign := rows[0].Ref, "zzzzzzzzzzzzzzzzzzzz"
	admin := w.superuser(t)
	run(t, admin, "DROP SCHEMA w_"+ref)
	if err := s3(t, w.dr, localtest.RootAccess, localtest.RootSecret).MakeBucket(t.Context(), "w-"+foreign, minio.MakeBucketOptions{}); err != nil {
		t.Fatal(err)
	}
	want := []provision.Finding{
		{Ref: ref, Where: provision.CellPlace, What: provision.Rebuilt}, {Ref: foreign, Where: "dr", What: provision.Unknown},
	}
	if found := shop.reconcile(t); !slices.Equal(found, want) {
		t.Errorf("found %v, want %v", found, want)
	}
	if err := shop.build(t, -1); err != nil {
		t.Fatal(err)
	}
	if found := shop.reconcile(t); !slices.Equal(found, want[1:]) { // what no row knows is never removed
		t.Errorf("found %v, want %v", found, want[1:])
	}
	shop.wantUsable(t, w)
}

func TestLoginOfADeletedWorkspaceIsDisabledAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.config.Slots.ReconcileEvery = 50 * time.Millisecond
	i := w.start(t, tenant.Deps{})
	made := i.create(t, "gone")
	if _, err := i.workspaces.DeleteWorkspace(operator(t.Context()), &tenantv1.DeleteWorkspaceRequest{Name: made.GetWorkspace().GetName()}); err != nil {
		t.Fatal(err)
	}
	admin, role := w.superuser(t), made.GetCredentials().GetDatabaseUser()
	disabled := func() error {
		if scan[bool](t, admin, "SELECT rolcanlogin FROM pg_roles WHERE rolname = $1", role) {
			return errors.New(role + " may log in")
		}
		return nil
	}
	servicetest.Eventually(t, disabled)
	run(t, admin, "ALTER ROLE "+role+" LOGIN")
	servicetest.Eventually(t, disabled)
}
