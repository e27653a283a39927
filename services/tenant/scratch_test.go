package tenant_test

import (
	"net/url"
	"testing"

	"github.com/jackc/pgx/v5"

	tenantv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/tenant/v1"
)

// into is the same login at another database.
func into(t testing.TB, databaseURL, database string) string {
	t.Helper()
	u, err := url.Parse(databaseURL)
	if err != nil {
		t.Fatal(err)
	}
	u.Path = "/" + database
	return u.String()
}

func TestScratchDatabaseIsTheRestoresAlone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := stage(t, w)
	again, err := r.restores.StageRestore(t.Context(), &tenantv1.StageRestoreRequest{
		Workspace: r.made.GetWorkspace().GetName(), RestoreId: r.id, ScramVerifier: verifier(t, "loader"),
	})
	if err != nil {
		t.Fatal(err)
	}
	database, role := again.GetScratchDatabase(), "w_"+refOf(r.made.GetWorkspace())
	loader := login(t, into(t, as(t, r.customer, again.GetRole(), "loader"), database))
	run(t, loader, "SET ROLE NONE", "CREATE SCHEMA s", "GRANT ALL ON SCHEMA s TO "+role, "SET ROLE "+role,
		"CREATE TABLE s.t (i int)", "SET ROLE NONE", "ALTER SCHEMA s RENAME TO s2")
	if _, err := pgx.Connect(t.Context(), into(t, r.customer, database)); err == nil {
		t.Error("the customer's own login may enter")
	}
	for range 2 {
		r.clear(t, false)
	}
	if n := scan[int](t, w.superuser(t), "SELECT count(*) FROM pg_database WHERE datname = $1", database); n != 0 {
		t.Error("the scratch database is left")
	}
}
