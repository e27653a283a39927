package tenant_test

import (
	"context"
	"fmt"
	"os"
	"testing"

	"google.golang.org/grpc/codes"

	"github.com/naksha-cloud/naksha/pkg/conf"
	"github.com/naksha-cloud/naksha/pkg/fault"
	"github.com/naksha-cloud/naksha/pkg/local"
	"github.com/naksha-cloud/naksha/pkg/local/localtest"
	"github.com/naksha-cloud/naksha/pkg/outbox"
	"github.com/naksha-cloud/naksha/pkg/pg"
	"github.com/naksha-cloud/naksha/pkg/service"
	"github.com/naksha-cloud/naksha/pkg/service/servicetest"
	rotationv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/rotation/v1"
	tenantv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/tenant/v1"
	"github.com/naksha-cloud/naksha/services/tenant"
)

func TestTwoInstancesServeOneRecord(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	one, two := w.start(t, tenant.Deps{}), w.start(t, tenant.Deps{})
	made := one.create(t, "shared")
	if _, err := two.workspaces.GetWorkspace(operator(t.Context()), &tenantv1.GetWorkspaceRequest{Name: made.GetWorkspace().GetName()}); err != nil {
		t.Error(err)
	}
	if err := one.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	two.create(t, "after the other stopped")
}

func TestRemembersWhichGenerationTheCustomerHolds(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	rotation, err := service.New("rotation", w.env.Config("rotation"), service.Deps{})
	if err != nil {
		t.Fatal(err)
	}
	servicetest.Start(t, rotation)
	i := w.start(t, tenant.Deps{})
	owner := i.create(t, "rotated").GetWorkspace().GetName()
	install := &tenantv1.InstallLoginRequest{Owner: owner, Generation: 2, ScramVerifier: verifier(t, "x")}
	if _, err := i.cells.InstallLogin(t.Context(), install); err != nil {
		t.Fatal(err)
	}
	credential := owner + "/credentials/database"
	err = rotation.Pool.InTx(t.Context(), func(ctx context.Context, tx *pg.Tx) error {
		return rotation.Outbox.Emit(ctx, tx, outbox.Fact{Aggregate: credential, Workspace: owner[len("workspaces/"):], Message: &rotationv1.CredentialPromoted{
			Credential: credential, Generation: 2,
		}})
	})
	if err != nil {
		t.Fatal(err)
	}
	servicetest.Eventually(t, func() error {
		_, err := i.cells.InstallLogin(t.Context(), install)
		if fault.ReasonOf(err) != "LOGIN_ACTIVE" {
			return fmt.Errorf("install over the held generation: %w", err)
		}
		return nil
	})
	if err := i.Ready(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestStartsAfterAFailedStartAndStopsTwice(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	hidden := w.config.RootKeyFile + ".hidden"
	if err := os.Rename(w.config.RootKeyFile, hidden); err != nil {
		t.Fatal(err)
	}
	s, err := tenant.New(w.config, tenant.Deps{})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start(t.Context()); err == nil || s.Ready(t.Context()) == nil {
		t.Fatal("it started without its root key")
	}
	if err := os.Rename(hidden, w.config.RootKeyFile); err != nil {
		t.Fatal(err)
	}
	for range 2 { // it starts again after a stop, too
		if err := s.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		w.clients(s).create(t, "x")
		for range 2 {
			if err := s.Stop(t.Context()); err != nil {
				t.Error(err)
			}
		}
	}
}

func TestChecksKeysWhileTheCellIsDown(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	cell := ownPostgres(t)
	w.config.Cell.URL = conf.Secret(cell.SuperuserURL("postgres"))
	w.config.Slots.LowWater = 1
	i := w.start(t, tenant.Deps{})
	secret := i.create(t, "before").GetCredentials().GetSecretKey()
	if err := cell.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	var refused error
	for range 5 { // the slots that were ready are given away first
		_, refused = i.workspaces.CreateWorkspace(operator(t.Context()), &tenantv1.CreateWorkspaceRequest{DisplayName: "during"})
		if refused != nil {
			break
		}
	}
	wantReason(t, "create without a cell", refused, "CELL_UNAVAILABLE")
	if f := fault.From(refused); f.Code != codes.Unavailable || f.RetryAfter == 0 {
		t.Errorf("code %s, retry after %s", f.Code, f.RetryAfter)
	}
	if _, err := i.keys.AuthenticateKey(t.Context(), &tenantv1.AuthenticateKeyRequest{Text: secret}); err != nil {
		t.Error(err)
	}
	if err := i.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	servicetest.Start(t, i.Service) // it starts while the cell is down
	if i.Ready(t.Context()) == nil {
		t.Error("it says that it is ready")
	}
}

func TestSaysWhenARegionIsDown(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.config.Slots.LowWater = 0
	i := w.start(t, tenant.Deps{})
	if err := w.dr.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	_, err := i.workspaces.CreateWorkspace(operator(t.Context()), &tenantv1.CreateWorkspaceRequest{DisplayName: "x"})
	wantReason(t, "create without a region", err, "STORAGE_UNAVAILABLE")
}

// ownPostgres is a server that the test may stop.
func ownPostgres(t testing.TB) *local.Postgres {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), localtest.Patience)
	defer cancel()
	p, err := local.StartPostgres(ctx, local.PostgresConfig{
		Dir: localtest.TempDir(t), SuperuserPassword: "secret", InitCache: localtest.InitCache(),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return p
}
