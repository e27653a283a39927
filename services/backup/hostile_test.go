package backup_test

import "testing"

// hijack are functions that fit the arguments of the reader's queries better than the built-in ones of the same names.
// Each fails when it is called: nobody but the customer may ever run them.
var hijack = []string{
	`CREATE TABLE bait (id int PRIMARY KEY, note text)`, `INSERT INTO bait VALUES (1, 'one')`, `CREATE SEQUENCE "line"`,
	`CREATE FUNCTION caught() RETURNS bigint LANGUAGE plpgsql AS $x$ BEGIN RAISE 'called by %', session_user; END $x$`,
	`CREATE FUNCTION hashtextextended(text, int) RETURNS bigint LANGUAGE sql AS 'SELECT caught()'`,
	`CREATE FUNCTION hashtextextended(text, bigint) RETURNS bigint LANGUAGE sql AS 'SELECT caught()'`,
	`CREATE FUNCTION pg_relation_size(oid) RETURNS bigint LANGUAGE sql AS 'SELECT caught()'`,
	`CREATE FUNCTION append(text[], text) RETURNS text[] LANGUAGE sql AS 'SELECT caught(); SELECT $1'`,
	`CREATE AGGREGATE array_agg(text) (SFUNC = append, STYPE = text[])`,
	`CREATE FUNCTION grow(numeric, bigint) RETURNS numeric LANGUAGE sql AS 'SELECT caught()::numeric'`,
	`CREATE AGGREGATE sum(bigint) (SFUNC = grow, STYPE = numeric)`,
	`CREATE FUNCTION setval(regclass, int, boolean) RETURNS bigint LANGUAGE sql AS 'SELECT caught()'`,
	`CREATE FUNCTION same(name, text) RETURNS boolean LANGUAGE sql AS 'SELECT caught() = 0'`,
	`CREATE OPERATOR = (LEFTARG = name, RIGHTARG = text, FUNCTION = same)`,
	`CREATE FUNCTION above(smallint, bigint) RETURNS boolean LANGUAGE sql AS 'SELECT caught() = 0'`,
	`CREATE OPERATOR > (LEFTARG = smallint, RIGHTARG = bigint, FUNCTION = above)`,
	// The planner evaluates what is constant in these, as whoever queries the table; only the customer and its restores may.
	`CREATE FUNCTION guard() RETURNS int LANGUAGE plpgsql IMMUTABLE AS $x$ BEGIN
		IF session_user LIKE 'naksha%' THEN RAISE 'called by %', session_user; END IF; RETURN 1; END $x$`,
	`CREATE INDEX ON bait ((guard() + id))`, `CREATE INDEX ON bait (id) WHERE guard() = 1`,
	`CREATE STATISTICS odd ON (guard() + id), note FROM bait`,
	// Values of all shapes: the checksum must be what SQL says.
	`CREATE TABLE shapes (a text, "B b" text[], c numeric, d bytea, e int GENERATED ALWAYS AS (guard() + 1) STORED)`,
	`INSERT INTO shapes SELECT CASE i % 7 WHEN 0 THEN NULL WHEN 1 THEN '' ELSE repeat(chr(i), i % 40) END,
		ARRAY[chr(i), NULL, '"\', E'\t'], i * -1.5e20, decode(lpad(to_hex(i), 4, '0'), 'hex') FROM generate_series(1, 300) i`,
	`CREATE TABLE bare ()`, `INSERT INTO bare DEFAULT VALUES`,
}

func TestCustomersFunctionsNeverRunAsTheReader(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	i := w.start(t)
	ref, customer := w.workspace(t)
	run(t, customer, hijack...)

	s := i.verified(t, ref)
	for _, table := range s.GetTables() {
		row := map[string]string{"bait": "id, note", "shapes": `a, "B b", c, d`}[table.GetTable()]
		want := scan[string](t, customer, "SELECT coalesce(pg_catalog.sum(pg_catalog.hashtextextended(ROW("+row+")::text, 0::bigint)), 0)::text FROM "+table.GetTable())
		if table.GetChecksum() != want {
			t.Errorf("checksum of %s is %s, SQL says %s", table.GetTable(), table.GetChecksum(), want)
		}
	}
	run(t, customer, `UPDATE bait SET note = 'changed'`)
	i.restore(t, s.GetName(), "")
	if got := scan[string](t, customer, `SELECT note FROM bait`); got != "one" {
		t.Errorf("note is %q", got)
	}
}
