package tenant_test

import (
	"errors"
	"testing"
	"time"

	"github.com/naksha-cloud/naksha/pkg/service/servicetest"
	tenantv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/tenant/v1"
	"github.com/naksha-cloud/naksha/services/tenant"
)

func TestSessionThatSlippedInDuringADeletionIsEnded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.config.Slots.ReconcileEvery = 50 * time.Millisecond
	i := w.start(t, tenant.Deps{})
	made := i.create(t, "gone")
	if _, err := i.workspaces.DeleteWorkspace(operator(t.Context()), &tenantv1.DeleteWorkspaceRequest{Name: made.GetWorkspace().GetName()}); err != nil {
		t.Fatal(err)
	}
	admin, role := w.superuser(t), made.GetCredentials().GetDatabaseUser()
	servicetest.Eventually(t, func() error {
		if scan[bool](t, admin, "SELECT rolcanlogin FROM pg_roles WHERE rolname = $1", role) {
			return errors.New(role + " may log in")
		}
		return nil
	})
	if err := i.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	run(t, admin, "ALTER ROLE "+role+" LOGIN")
	session := login(t, made.GetCredentials().GetDatabaseUrl())
	run(t, admin, "ALTER ROLE "+role+" NOLOGIN")
	servicetest.Start(t, i.Service)
	servicetest.Eventually(t, func() error { return wantFailure("the session", session.Ping(t.Context())) })
}
