package tenant_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/naksha-cloud/naksha/pkg/conf"
	"github.com/naksha-cloud/naksha/pkg/local/localtest"
	"github.com/naksha-cloud/naksha/pkg/pg"
	"github.com/naksha-cloud/naksha/services/tenant"
)

func TestCustomerCannotLiftWhatBoundsLogAndDisk(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	i := w.start(t, tenant.Deps{})
	customer := login(t, i.create(t, "loud").GetCredentials().GetDatabaseUrl())
	user := scan[string](t, customer, "SELECT session_user::text")
	for name, want := range map[string]string{"log_min_messages": "fatal", "log_error_verbosity": "terse", "temp_file_limit": "5GB"} {
		if got := scan[string](t, customer, "SELECT current_setting($1)", name); got != want {
			t.Errorf("%s is %s, want %s", name, got, want)
		}
		for _, statement := range []string{"SET " + name + " = DEFAULT", "RESET " + name, "ALTER ROLE " + user + " SET " + name + " = DEFAULT"} {
			for _, role := range []string{user[:22], "NONE"} {
				run(t, customer, "SET ROLE "+role)
				if _, err := customer.Exec(t.Context(), statement); err == nil {
					t.Errorf("as role %s: %s works", role, statement)
				}
			}
		}
	}
}

func TestNothingOfACustomersStatementsIsInTheServersLog(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	dir := localtest.TempDir(t)
	w.config.Cell.URL = conf.Secret(smallPostgres(t, dir).SuperuserURL("postgres"))
	i := w.start(t, tenant.Deps{})
	customer := login(t, i.create(t, "loud").GetCredentials().GetDatabaseUrl())
	run(t, customer, "SET debug_print_parse = on", "SET debug_print_plan = on", "SET client_min_messages = log", "SET debug_pretty_print = on",
		"DO $$ BEGIN RAISE LOG 'a marker'; RAISE WARNING 'a marker'; END $$",
		"CREATE TABLE person (email text UNIQUE)", "INSERT INTO person VALUES ('a marker')")
	for _, statement := range []string{"INSERT INTO person VALUES ('a marker')", "SELECT 'a marker'::int", "SELECT a marker"} {
		if _, err := customer.Exec(t.Context(), statement); pg.SQLState(err) == "" {
			t.Errorf("%s: %v", statement, err)
		}
	}
	log, err := os.ReadFile(filepath.Join(dir, "postgres.log"))
	if err != nil || !strings.Contains(string(log), "ready to accept connections") {
		t.Fatalf("the log holds %q, %v", log, err)
	}
	if strings.Contains(string(log), "marker") {
		t.Errorf("the log holds\n%s", log)
	}
}
