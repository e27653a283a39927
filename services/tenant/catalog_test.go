package tenant_test

import (
	"strings"
	"testing"

	"github.com/naksha-cloud/naksha/services/tenant"
)

// What SECURITY.md says of the catalogues: definitions are readable by every login of a cell, rows and statements are not.
func TestNeighbourReadsDefinitionsAndNoRows(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	i := w.start(t, tenant.Deps{})
	made := i.create(t, "talkative")
	ref := refOf(made.GetWorkspace())
	owner, neighbour := login(t, made.GetCredentials().GetDatabaseUrl()), login(t, i.create(t, "neighbour").GetCredentials().GetDatabaseUrl())
	run(t, owner,
		"CREATE FUNCTION f() RETURNS text LANGUAGE sql AS 'SELECT ''marker'''",
		"CREATE TABLE t (v text DEFAULT 'marker' CHECK (v <> 'marker!'))", "COMMENT ON TABLE t IS 'marker'",
		"CREATE VIEW v AS SELECT 'marker' AS v", "CREATE POLICY p ON t USING (v <> 'marker')", "CREATE TYPE e AS ENUM ('marker')",
		"CREATE INDEX ON t ((v || 'marker'))", "INSERT INTO t SELECT 'row' || i % 5 FROM generate_series(1, 1000) AS i", "ANALYZE t",
		"SET ROLE NONE", "ALTER ROLE w_"+ref+"_g1 SET application_name = 'marker'", "SELECT 'marker'")
	reads := func(query string) bool {
		t.Helper()
		return scan[bool](t, neighbour, "SELECT EXISTS ("+strings.NewReplacer("$ref", ref, "$schema", "'w_"+ref+"'", "$ns",
			"(SELECT oid FROM pg_namespace WHERE nspname = 'w_"+ref+"')").Replace(query)+")")
	}
	for what, query := range map[string]string{
		"function":   "SELECT FROM pg_proc WHERE pronamespace = $ns AND prosrc ~ 'marker'",
		"default":    "SELECT FROM pg_attrdef d JOIN pg_class c ON c.oid = adrelid WHERE relnamespace = $ns AND pg_get_expr(adbin, adrelid) ~ 'marker'",
		"check":      "SELECT FROM pg_constraint WHERE connamespace = $ns AND pg_get_constraintdef(oid) ~ 'marker'",
		"comment":    "SELECT FROM pg_description d JOIN pg_class c ON c.oid = objoid WHERE relnamespace = $ns AND description ~ 'marker'",
		"view":       "SELECT FROM pg_views WHERE schemaname = $schema AND definition ~ 'marker'",
		"policy":     "SELECT FROM pg_policies WHERE schemaname = $schema AND qual ~ 'marker'",
		"enum":       "SELECT FROM pg_enum e JOIN pg_type t ON t.oid = enumtypid WHERE typnamespace = $ns AND enumlabel = 'marker'",
		"index":      "SELECT FROM pg_indexes WHERE schemaname = $schema AND indexdef ~ 'marker'",
		"setting":    "SELECT FROM pg_db_role_setting WHERE setconfig::text ~ 'marker' AND setrole = 'w_$ref_g1'::regrole",
		"row counts": "SELECT FROM pg_stat_all_tables WHERE schemaname = $schema AND n_live_tup > 0",
	} {
		if !reads(query) {
			t.Errorf("%s: not readable: tell so in SECURITY.md", what)
		}
	}
	for what, query := range map[string]string{
		"statistics of values": "SELECT FROM pg_stats WHERE schemaname = $schema",
		"running statement":    "SELECT FROM pg_stat_activity WHERE usename = 'w_$ref_g1' AND query ~ 'marker'",
		"address":              "SELECT FROM pg_stat_activity WHERE usename = 'w_$ref_g1' AND client_addr IS NOT NULL",
	} {
		if reads(query) {
			t.Errorf("%s: readable", what)
		}
	}
}
