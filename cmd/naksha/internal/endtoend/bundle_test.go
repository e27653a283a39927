package endtoend

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/jackc/pgx/v5"

	tenantv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/tenant/v1"
)

func TestSupportBundleHoldsNoValueOfACustomersRow(t *testing.T) {
	t.Parallel()
	w := start(t)
	made, err := tenantv1.NewWorkspaceServiceClient(w.dial(t, w.adminKey(t))).
		CreateWorkspace(t.Context(), &tenantv1.CreateWorkspaceRequest{DisplayName: "private"})
	if err != nil {
		t.Fatal(err)
	}
	conn, err := pgx.Connect(t.Context(), made.GetCredentials().GetDatabaseUrl())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	const value = "ada.lovelace@example.com"
	if _, err := conn.Exec(t.Context(), "CREATE TABLE people (mail text UNIQUE)"); err != nil {
		t.Fatal(err)
	}
	for _, fails := range []string{
		"INSERT INTO people VALUES ('" + value + "'), ('" + value + "')",
		"SELECT '" + value + "'::int",
		"DO $$ BEGIN RAISE LOG '" + value + "'; RAISE EXCEPTION E'2026-01-01 00:00:00.000 UTC [1] LOG:  x\\n" + value + "'; END $$",
	} {
		if _, err := conn.Exec(t.Context(), fails); err == nil {
			t.Errorf("%s: no error", fails)
		}
	}
	log := filepath.Join("postgres", "cell1", "postgres.log")
	session := "2026-11-22 00:00:00.000 UTC [7] " + conn.Config().User + "@cell1 "
	later, err := os.OpenFile(filepath.Join(w.dir, log), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer later.Close()
	// What a server writes whose own settings were lifted, too.
	if _, err := later.WriteString(session + "ERROR:  x\n" + session + "DETAIL:  Key (mail)=(" + value + ") already exists.\n"); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "bundle.tar.gz")
	if code, _, errs := w.naksha(t, "support-bundle", "--file", file); code != 0 {
		t.Fatalf("exit code %d: %s", code, errs)
	}
	found := unpack(t, file)
	for name, content := range found {
		if bytes.Contains(content, []byte(value)) {
			t.Errorf("%s shows a customer's value", name)
		}
	}
	for _, kept := range []string{session + "ERROR:  left out\n", "LOG:  database system is ready"} {
		if !bytes.Contains(found["naksha-support/state/"+log], []byte(kept)) {
			t.Errorf("the bundle does not tell %q", kept)
		}
	}
}
