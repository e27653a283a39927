package backup_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/naksha-cloud/naksha/pkg/blob"
	"github.com/naksha-cloud/naksha/pkg/fault"
)

// nasty is a schema with everything that a customer may make and a backup may forget.
var nasty = []string{
	`CREATE TYPE mood AS ENUM ('sad', 'it''s "ok"', 'größer')`,
	`CREATE DOMAIN percent AS int CHECK (VALUE BETWEEN 0 AND 100)`,
	`CREATE TYPE pair AS (a int, "B b" text)`,
	`CREATE TYPE span AS RANGE (subtype = float8)`,
	`CREATE SEQUENCE "Weird Seq" START 42 INCREMENT 7; SELECT nextval('"Weird Seq"')`,
	// A function with a string body that relies on the customer's search_path, used by an index, a check and a column.
	`CREATE FUNCTION trim_all(text) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT btrim($1) $$`,
	`CREATE FUNCTION norm(text) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT lower(trim_all($1)) $$`,
	`CREATE FUNCTION atomic(x int) RETURNS int LANGUAGE sql IMMUTABLE BEGIN ATOMIC SELECT CASE WHEN x > 0 THEN x ELSE 0 END; SELECT x; END`,
	`CREATE TABLE "Order; DROP TABLE x" (
		"Id" bigint GENERATED ALWAYS AS IDENTITY (START 1000) PRIMARY KEY,
		"na""me" text NOT NULL CHECK (norm("na""me") <> 'forbidden'),
		mood mood DEFAULT 'sad', share percent, pair pair, spans span[], raw bytea, doc jsonb, x xml, n numeric, f float8, r real,
		at timestamptz DEFAULT '2026-01-02 03:04:05.678901+05:30', day date, iv interval, ip inet, u uuid, bits varbit,
		tags text[], mat int[][], price money, self regclass, doubled bigint GENERATED ALWAYS AS ("Id" * 2) STORED,
		"日本 語" text)`,
	`COMMENT ON TABLE "Order; DROP TABLE x" IS 'it''s; a "comment" \ $$'`,
	`COMMENT ON COLUMN "Order; DROP TABLE x"."日本 語" IS 'カラム'`,
	`INSERT INTO "Order; DROP TABLE x" ("na""me", mood, share, pair, spans, raw, doc, x, n, f, r, day, iv, ip, u, bits, tags, mat, price, self, "日本 語")
		SELECT 'n' || i || E'\t\n\\N"', 'größer', i % 100, ROW(i, 'b,"' || i)::pair, ARRAY[span(i, i + 0.1)], decode(md5(i::text), 'hex'),
		jsonb_build_object('k', i, 'ü', NULL), '<a b="c">&amp;</a>', i / 7.0, i / 3.0, i / 3.0, '2000-02-29'::date + i, make_interval(days => i, secs => 0.5),
		'10.0.0.1', gen_random_uuid(), B'1010', ARRAY['a,b', NULL, '"', ''], ARRAY[[i, 2], [3, NULL]], 12.34, '"Order; DROP TABLE x"', repeat('語', i % 50)
		FROM generate_series(1, 500) i`,
	`INSERT INTO "Order; DROP TABLE x" ("na""me", f, n, at, day, iv) VALUES ('', 'NaN', 'NaN', 'infinity', '-infinity', '-1 mon +3 days'), (E'\\.', '-Infinity', 1e-100, NULL, '4713-01-01 BC', NULL)`,
	`CREATE INDEX "Idx; x" ON "Order; DROP TABLE x" (norm("na""me")) WHERE share > 3`,
	`CREATE UNIQUE INDEX ON "Order; DROP TABLE x" (doubled) INCLUDE (mood)`,
	`CREATE TABLE empty_columns ()`, `INSERT INTO empty_columns DEFAULT VALUES`, `INSERT INTO empty_columns DEFAULT VALUES`,
	`CREATE TABLE empty_rows (a int)`,
	`CREATE TABLE only_generated (a int GENERATED ALWAYS AS (1 + 1) STORED)`, `INSERT INTO only_generated DEFAULT VALUES`,
	`CREATE TABLE dropped (a int, b text, c int)`, `ALTER TABLE dropped DROP COLUMN b`, `INSERT INTO dropped SELECT i, -i FROM generate_series(1, 9) i`,
	`CREATE TABLE item (id serial PRIMARY KEY, "order" bigint REFERENCES "Order; DROP TABLE x" ON DELETE CASCADE DEFERRABLE, boss int REFERENCES item)`,
	`INSERT INTO item ("order", boss) SELECT "Id", CASE WHEN "Id" > 1001 THEN 1 END FROM "Order; DROP TABLE x"`,
	`ALTER TABLE "Order; DROP TABLE x" ADD COLUMN first_item int REFERENCES item`, // a cycle of foreign keys
	`UPDATE "Order; DROP TABLE x" SET first_item = 1 WHERE "Id" < 1010`,
	`CREATE TABLE part (id int, k text) PARTITION BY RANGE (id)`,
	`CREATE TABLE part_low PARTITION OF part FOR VALUES FROM (0) TO (100) PARTITION BY LIST (k)`,
	`CREATE TABLE part_low_a PARTITION OF part_low FOR VALUES IN ('a')`, `CREATE TABLE part_low_rest PARTITION OF part_low DEFAULT`,
	`CREATE TABLE "part High" (k text, id int)`, `ALTER TABLE part ATTACH PARTITION "part High" FOR VALUES FROM (100) TO (1000)`,
	`ALTER TABLE part ADD PRIMARY KEY (id, k)`, `CREATE INDEX ON part (k)`,
	`INSERT INTO part SELECT i, CASE WHEN i % 2 = 0 THEN 'a' ELSE 'b' END FROM generate_series(0, 300) i`,
	`CREATE TABLE parent (a int)`, `CREATE TABLE child (extra text) INHERITS (parent)`, `ALTER TABLE parent ADD COLUMN late int DEFAULT 5`,
	`INSERT INTO parent VALUES (1, 1)`, `INSERT INTO child VALUES (2, 'x', 3)`,
	`CREATE UNLOGGED TABLE scratchpad (a int)`, `INSERT INTO scratchpad VALUES (7)`,
	`CREATE TABLE guarded (owner text, secret text)`, `INSERT INTO guarded VALUES ('me', 'a'), ('you', 'b'), ('them', 'c')`,
	`ALTER TABLE guarded ENABLE ROW LEVEL SECURITY`, `ALTER TABLE guarded FORCE ROW LEVEL SECURITY`,
	`CREATE POLICY mine ON guarded FOR SELECT USING (owner = 'me')`, `CREATE POLICY add ON guarded FOR INSERT WITH CHECK (true)`,
	`CREATE TABLE large (id int, body text)`, `INSERT INTO large SELECT i, repeat(md5(i::text), 100000) FROM generate_series(1, 3) i`,
	`CREATE VIEW "View" AS SELECT "Id", norm("na""me") AS n FROM "Order; DROP TABLE x" WHERE share > 10`,
	`CREATE VIEW locking AS SELECT pg_advisory_lock(1) IS NULL AS locked`,            // the platform's, which stands before the original
	`CREATE VIEW grouped AS SELECT i.id, i.boss, count(*) FROM item i GROUP BY i.id`, // depends on the primary key
	`CREATE MATERIALIZED VIEW summary AS SELECT share, count(*) AS c FROM "Order; DROP TABLE x" GROUP BY share`,
	`CREATE UNIQUE INDEX ON summary (share)`,
	`CREATE MATERIALIZED VIEW summary2 AS SELECT sum(c) AS s FROM summary`,
	`CREATE MATERIALIZED VIEW lazy AS SELECT 1 AS one WITH NO DATA`,
	`CREATE RULE "Rule" AS ON DELETE TO "View" DO INSTEAD (UPDATE item SET boss = NULL WHERE false; DELETE FROM empty_rows WHERE a = 1)`,
	`CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $x$ BEGIN NEW.a := NEW.a + 1; RETURN NEW; END $x$`,
	`CREATE TRIGGER bump BEFORE INSERT ON dropped FOR EACH ROW EXECUTE FUNCTION touch()`, // must not fire while rows are loaded
	`CREATE STATISTICS both_columns (dependencies) ON a, c FROM dropped`,
	`CREATE PROCEDURE noop() LANGUAGE sql AS 'SELECT 1'`,
	`CREATE AGGREGATE total(int) (SFUNC = int4pl, STYPE = int, INITCOND = '0')`,
	`CREATE OPERATOR === (LEFTARG = int, RIGHTARG = int, FUNCTION = int4eq)`,
	`CREATE COLLATION "Ci" (provider = icu, locale = 'und-u-ks-level2', deterministic = false)`,
	`CREATE TABLE collated (t text COLLATE "Ci")`, `INSERT INTO collated VALUES ('A'), ('a')`,
	`GRANT SELECT ("Id"), UPDATE (mood) ON "Order; DROP TABLE x" TO PUBLIC`, `GRANT USAGE ON SEQUENCE "Weird Seq" TO PUBLIC`,
	`REVOKE EXECUTE ON FUNCTION norm(text) FROM PUBLIC`, `ALTER DEFAULT PRIVILEGES IN SCHEMA "$schema" GRANT SELECT ON TABLES TO PUBLIC`,
	`ALTER TABLE item ALTER COLUMN boss SET STATISTICS 500`, `ALTER TABLE item CLUSTER ON item_pkey`, `ALTER TABLE item REPLICA IDENTITY FULL`,
	`ALTER TABLE dropped ADD CONSTRAINT later CHECK (a <> 5) NOT VALID`,
	`ALTER TABLE dropped ADD EXCLUDE USING btree (c WITH =)`,
	`ALTER SEQUENCE item_id_seq RESTART WITH 77777`,
}

func TestRestoreBringsEverythingBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	i := w.start(t)
	ref, customer := w.workspace(t)
	for _, statement := range nasty {
		run(t, customer, strings.ReplaceAll(statement, "$schema", "w_"+ref))
	}
	other, neighbour := w.workspace(t)
	run(t, neighbour, "CREATE TABLE mine (a int)", "INSERT INTO mine VALUES (1)")
	w.putObjects(t, ref)
	before, objects := w.state(t, ref), w.objects(t, ref)

	s := i.verified(t, ref)
	if s.GetObjectCount() != 3 {
		t.Errorf("snapshot has %d objects", s.GetObjectCount())
	}
	run(t, customer, `UPDATE "Order; DROP TABLE x" SET first_item = NULL`, `DELETE FROM item`, `DROP TABLE part CASCADE`, `DROP VIEW grouped`, `TRUNCATE large`, `ALTER TABLE dropped ADD COLUMN junk int`,
		`UPDATE collated SET t = 'changed'`, `CREATE TABLE later_table (a int)`, `DROP FUNCTION norm(text) CASCADE`, `SELECT nextval('item_id_seq')`)
	w.damageObjects(t, ref)

	for _, region := range []string{"", "dr", "primary"} {
		r := i.restore(t, s.GetName(), region)
		compare(t, before, w.state(t, ref))
		compare(t, objects, w.objects(t, ref))
		if want := cmpOr(region, "primary"); r.GetRegion() != want {
			t.Errorf("restored from %q, want %q", r.GetRegion(), want)
		}
		run(t, customer, "DROP TABLE large")
		w.damageObjects(t, ref)
	}
	if got := scan[int](t, neighbour, "SELECT count(*) FROM mine"); got != 1 {
		t.Errorf("neighbour %s has %d rows", other, got)
	}
}

func cmpOr(a, b string) string {
	if a == "" {
		return b
	}
	return a
}

// compare reports the keys whose values differ.
func compare(t testing.TB, want, got map[string]string) {
	t.Helper()
	for key, value := range want {
		if got[key] != value {
			t.Errorf("%s is\n%.3000s\nwant\n%.3000s", key, got[key], value)
		}
	}
	for key := range got {
		if _, ok := want[key]; !ok {
			t.Errorf("%s was not there before", key)
		}
	}
}

// state is everything that the catalogs and tables of a workspace say, read as superuser, without backup's code.
func (w *world) state(t testing.TB, ref string) map[string]string {
	t.Helper()
	conn := login(t, w.cellURL)
	defer conn.Close(context.Background())
	schema := "w_" + ref
	run(t, conn, "SET search_path = "+schema, "SET timezone = UTC")
	found := map[string]string{}
	for what, query := range catalogQueries {
		found[what] = scan[string](t, conn, "SELECT coalesce(("+strings.ReplaceAll(query, "$schema", "'"+schema+"'::regnamespace")+"), '')")
	}
	rows, err := conn.Query(t.Context(), `SELECT relname::text, relkind::text FROM pg_class WHERE relnamespace = '`+schema+`'::regnamespace AND relkind IN ('r', 'm', 'S')`)
	if err != nil {
		t.Fatal(err)
	}
	type relation struct{ Name, Kind string }
	relations, err := pgx.CollectRows(rows, pgx.RowToStructByPos[relation])
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range relations {
		name := pgx.Identifier{schema, r.Name}.Sanitize()
		switch {
		case r.Kind == "S":
			found["sequence "+r.Name] = scan[string](t, conn, "SELECT last_value || ' ' || is_called FROM "+name)
		case r.Name != "lazy":
			columns := scan[string](t, conn, `SELECT coalesce(string_agg(quote_ident(attname), ', ' ORDER BY attname), '') FROM pg_attribute WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped`, name)
			found["rows of "+r.Name] = scan[string](t, conn, "SELECT count(*) || ' ' || coalesce(sum(hashtextextended(ROW("+columns+")::text, 0)), 0) FROM ONLY "+name)
		}
	}
	return found
}

// catalogQueries describe a schema independently of its oids.
var catalogQueries = map[string]string{
	"columns": `SELECT string_agg(concat_ws(' ', c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity, a.attgenerated, pg_get_expr(d.adbin, d.adrelid), a.attstattarget, a.attacl::text, col_description(c.oid, a.attnum)), E'\n' ORDER BY c.relname, a.attname)
		FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
		WHERE c.relnamespace = $schema AND c.relkind IN ('r', 'p', 'v', 'm')`,
	"relations": `SELECT string_agg(concat_ws(' ', relname, relkind, relpersistence, relrowsecurity, relforcerowsecurity, relreplident, relispartition, pg_get_expr(relpartbound, oid), pg_get_userbyid(relowner), relacl::text, obj_description(oid, 'pg_class'), relispopulated), E'\n' ORDER BY relname)
		FROM pg_class WHERE relnamespace = $schema AND relkind <> 'i' AND relkind <> 'I'`,
	"indexes":     `SELECT string_agg(indexdef, E'\n' ORDER BY indexdef) FROM pg_indexes WHERE schemaname::regnamespace = $schema`,
	"constraints": `SELECT string_agg(concat_ws(' ', conrelid::regclass, conname, pg_get_constraintdef(oid), convalidated), E'\n' ORDER BY conrelid::regclass::text, conname) FROM pg_constraint WHERE connamespace = $schema`,
	"functions":   `SELECT string_agg(concat_ws(' ', p.oid::regprocedure, CASE WHEN prokind <> 'a' THEN pg_get_functiondef(p.oid) END, proacl::text, pg_get_userbyid(proowner)), E'\n' ORDER BY p.oid::regprocedure::text) FROM pg_proc p WHERE pronamespace = $schema`,
	"views":       `SELECT string_agg(relname || pg_get_viewdef(oid), E'\n' ORDER BY relname) FROM pg_class WHERE relnamespace = $schema AND relkind IN ('v', 'm')`,
	"rules":       `SELECT coalesce(string_agg(definition, E'\n' ORDER BY rulename), '') FROM pg_rules WHERE schemaname::regnamespace = $schema`,
	"triggers":    `SELECT coalesce(string_agg(pg_get_triggerdef(t.oid), E'\n' ORDER BY tgname), '') FROM pg_trigger t JOIN pg_class c ON c.oid = tgrelid WHERE relnamespace = $schema AND NOT tgisinternal`,
	"policies":    `SELECT coalesce(string_agg(concat_ws(' ', tablename, policyname, permissive, roles::text, cmd, qual, with_check), E'\n' ORDER BY policyname), '') FROM pg_policies WHERE schemaname::regnamespace = $schema`,
	"types":       `SELECT string_agg(concat_ws(' ', typname, typtype, (SELECT string_agg(enumlabel, ',' ORDER BY enumsortorder) FROM pg_enum WHERE enumtypid = t.oid)), E'\n' ORDER BY typname) FROM pg_type t WHERE typnamespace = $schema AND typtype <> 'b'`,
	"statistics":  `SELECT coalesce(string_agg(pg_get_statisticsobjdef(oid), E'\n'), '') FROM pg_statistic_ext WHERE stxnamespace = $schema`,
	"inherits":    `SELECT coalesce(string_agg(inhrelid::regclass || ' ' || inhparent::regclass, E'\n' ORDER BY inhrelid::regclass::text, inhparent::regclass::text), '') FROM pg_inherits JOIN pg_class c ON c.oid = inhrelid WHERE c.relnamespace = $schema`,
	"sequences":   `SELECT coalesce(string_agg(concat_ws(' ', sequencename, start_value, increment_by, cycle, data_type), E'\n' ORDER BY sequencename), '') FROM pg_sequences WHERE schemaname::regnamespace = $schema`,
	"operators":   `SELECT coalesce(string_agg(oid::regoperator::text, E'\n'), '') FROM pg_operator WHERE oprnamespace = $schema`,
	"defaults":    `SELECT coalesce(string_agg(concat_ws(' ', pg_get_userbyid(defaclrole), defaclobjtype, defaclacl::text), E'\n'), '') FROM pg_default_acl WHERE defaclnamespace = $schema`,
}

func (w *world) putObjects(t testing.TB, ref string) {
	t.Helper()
	for _, r := range w.regions() {
		store := bucket(t, r)
		for key, body := range map[string]string{
			"plain.txt": "hello", "folder/größe 'x\"&<>.bin": strings.Repeat("0123456789abcdef", 1<<20), "empty": "",
		} {
			for _, version := range []string{"old " + body, body} {
				if _, err := store.Put(t.Context(), "w-"+ref, key, []byte(version), blob.PutOptions{ContentType: "text/x-test", Meta: map[string]string{"color": "green"}}); err != nil {
					t.Fatal(err)
				}
			}
		}
		if _, err := store.Put(t.Context(), "w-"+ref, "deleted", []byte("gone"), blob.PutOptions{}); err != nil {
			t.Fatal(err)
		}
		if err := store.Delete(t.Context(), "w-"+ref, "deleted", ""); err != nil {
			t.Fatal(err)
		}
	}
}

func (w *world) damageObjects(t testing.TB, ref string) {
	t.Helper()
	for _, r := range w.regions() {
		store := bucket(t, r)
		if err := store.Delete(t.Context(), "w-"+ref, "plain.txt", ""); err != nil {
			t.Fatal(err)
		}
		for _, key := range []string{"empty", "new", "deleted"} {
			if _, err := store.Put(t.Context(), "w-"+ref, key, []byte("overwritten"), blob.PutOptions{}); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// objects is what a customer sees in the bucket of each region.
func (w *world) objects(t testing.TB, ref string) map[string]string {
	t.Helper()
	found := map[string]string{}
	for _, r := range w.regions() {
		store := bucket(t, r)
		for v, err := range store.List(t.Context(), "w-"+ref, "") {
			if err != nil {
				t.Fatal(err)
			}
			about, err := store.Stat(t.Context(), "w-"+ref, v.Key, "")
			if fault.ReasonOf(err) == "OBJECT_NOT_FOUND" {
				continue // deleted since it was listed
			}
			if err != nil {
				t.Fatal(err)
			}
			found[r.Name()+" "+v.Key] = fmt.Sprint(about.Size, about.ETag, about.ContentType, about.Meta)
		}
	}
	return found
}
