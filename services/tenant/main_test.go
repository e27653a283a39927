package tenant_test

import (
	"context"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"github.com/naksha-cloud/naksha/pkg/caller"
	"github.com/naksha-cloud/naksha/pkg/conf"
	"github.com/naksha-cloud/naksha/pkg/fault"
	"github.com/naksha-cloud/naksha/pkg/local"
	"github.com/naksha-cloud/naksha/pkg/local/localtest"
	"github.com/naksha-cloud/naksha/pkg/seal"
	"github.com/naksha-cloud/naksha/pkg/service/servicetest"
	tenantv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/tenant/v1"
	"github.com/naksha-cloud/naksha/services/tenant"
)

func TestMain(m *testing.M) { os.Exit(localtest.Run(m)) }

// world is everything that one test's tenant service stands on: real databases, bus and regions.
type world struct {
	env         *servicetest.Env
	config      tenant.Config
	cellURL     string // of the cell's database, as superuser
	primary, dr *local.Region
}

// newWorld makes the surroundings; the service is not started.
func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{env: servicetest.New(t), cellURL: localtest.Database(t)}
	w.primary, w.dr = localtest.Region(t, "primary"), localtest.Region(t, "dr")
	dir := localtest.TempDir(t)
	if _, err := seal.MakeRoot(filepath.Join(dir, "root.key")); err != nil {
		t.Fatal(err)
	}
	c := tenant.DefaultConfig()
	c.Config = w.env.Config("tenant")
	c.RootKeyFile, c.AdminKeyFile = filepath.Join(dir, "root.key"), filepath.Join(dir, "admin.key")
	c.Cell.URL = conf.Secret(w.cellURL)
	c.Regions.Primary, c.Regions.DR = regionConfig(w.primary), regionConfig(w.dr)
	c.Slots.LowWater, c.Slots.Wait = 2, localtest.Patience
	c.Swap.LockWait = 500 * time.Millisecond
	w.config = c
	return w
}

func regionConfig(r *local.Region) tenant.Region {
	return tenant.Region{
		Endpoint: r.Endpoint(), IAMEndpoint: r.IAMEndpoint(), AccessKey: localtest.RootAccess, SecretKey: localtest.RootSecret,
	}
}

// instance is a started service and clients of it.
type instance struct {
	*tenant.Service
	workspaces tenantv1.WorkspaceServiceClient // as the gateway, for an operator
	keys       tenantv1.KeyServiceClient       // likewise
	cells      tenantv1.CellServiceClient      // as rotation
	restores   tenantv1.CellServiceClient      // as backup
}

// start starts one instance; it stops with the test.
func (w *world) start(t testing.TB, d tenant.Deps) *instance {
	t.Helper()
	s, err := tenant.New(w.config, d)
	if err != nil {
		t.Fatal(err)
	}
	servicetest.Start(t, s)
	return w.clients(s)
}

func (w *world) clients(s *tenant.Service) *instance {
	gateway := w.env.Dial("gateway", "tenant", s.Addr())
	return &instance{
		Service: s, workspaces: tenantv1.NewWorkspaceServiceClient(gateway), keys: tenantv1.NewKeyServiceClient(gateway),
		cells:    tenantv1.NewCellServiceClient(w.env.Dial("rotation", "tenant", s.Addr())),
		restores: tenantv1.NewCellServiceClient(w.env.Dial("backup", "tenant", s.Addr())),
	}
}

// operator is the context of a call that the gateway makes for an operator.
func operator(ctx context.Context) context.Context {
	return caller.With(ctx, caller.Caller{Principal: "operatorkey1", Kind: caller.Admin})
}

// create makes a workspace.
func (i *instance) create(t testing.TB, name string) *tenantv1.CreateWorkspaceResponse {
	t.Helper()
	reply, err := i.workspaces.CreateWorkspace(operator(t.Context()), &tenantv1.CreateWorkspaceRequest{
		DisplayName: name, RequestId: uuid.NewString(),
	})
	if err != nil {
		t.Fatalf("create workspace: %v", err)
	}
	return reply
}

func refOf(w *tenantv1.Workspace) string { return w.GetName()[len("workspaces/"):] }

// login is a customer's session.
func login(t testing.TB, databaseURL string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), databaseURL)
	if err != nil {
		t.Fatalf("log in: %v", err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

// superuser is a session that sees everything in the cell.
func (w *world) superuser(t testing.TB) *pgx.Conn { return login(t, w.cellURL) }

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

// s3 is a customer's client of a region.
func s3(t testing.TB, r *local.Region, id, secret string) *minio.Client {
	t.Helper()
	u, err := url.Parse(r.Endpoint())
	if err != nil {
		t.Fatal(err)
	}
	client, err := minio.New(u.Host, &minio.Options{
		Creds: credentials.NewStaticV4(id, secret, ""), Region: local.S3Region, BucketLookup: minio.BucketLookupPath, MaxRetries: 1,
	})
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// wantReason fails unless err carries the reason.
func wantReason(t testing.TB, what string, err error, reason string) {
	t.Helper()
	if got := fault.ReasonOf(err); got != reason {
		t.Errorf("%s: reason %q (%v), want %s", what, got, err, reason)
	}
}
