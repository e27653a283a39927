package demo

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/naksha-cloud/naksha/pkg/local/localtest"
)

// fewCities stands for the data file: the tests look at the checksums, not at the amount.
const fewCities = heading + `
1,Canillo,AD,02,,42.5676,1.59756
2,"Les Bons, upper",AD,03,,42.53873,1.58649
3,Longyearbyen,SJ,21,2100,78.22334,15.64689
4,Ny-Ålesund,SJ,21,2100,78.92345,11.92264
`

// loaded returns a connection to a database with the demo's schema and a few rows.
func loaded(t *testing.T) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), localtest.Database(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { leave(conn) })
	change(t, conn, shopTables)
	rows, err := copyCities(t.Context(), conn, zipped(t, fewCities))
	if err != nil || rows != 4 {
		t.Fatalf("copied %d rows: %v", rows, err)
	}
	change(t, conn, shopRelations)
	return conn
}

func change(t *testing.T, conn *pgx.Conn, sql string) {
	t.Helper()
	if _, err := conn.Exec(t.Context(), sql); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

func look(t *testing.T, conn *pgx.Conn) moment {
	t.Helper()
	m, err := observeConn(t.Context(), conn)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestEqualDataLooksEqual(t *testing.T) {
	t.Parallel()
	first, second := look(t, loaded(t)), look(t, loaded(t))
	if err := second.sameAs(first); err != nil {
		t.Error(err)
	}
	if first.rows < 500 || len(first.tables) != 4 {
		t.Errorf("%d rows in %d tables and views", first.rows, len(first.tables))
	}
}

func TestRowOrderDoesNotMatter(t *testing.T) {
	t.Parallel()
	conn := loaded(t)
	before := look(t, conn)
	change(t, conn, "UPDATE cities SET name = name WHERE id < 3")
	if err := look(t, conn).sameAs(before); err != nil {
		t.Error(err)
	}
}

func TestEveryDamageIsSeen(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ sql, want string }{
		"row deleted":        {"DELETE FROM notes WHERE id = 1000", `table "notes"`},
		"value changed":      {"UPDATE cities SET lat = lat + 0.00001 WHERE id = 1", `table "cities"`},
		"null became empty":  {"UPDATE notes SET body = '' WHERE body IS NULL", `table "notes"`},
		"table dropped":      {"DROP TABLE notes", `table "notes" is gone`},
		"table made":         {"CREATE TABLE more ()", `table "more" is new`},
		"index dropped":      {"DROP INDEX cities_by_name", "cities_by_name"},
		"constraint dropped": {"ALTER TABLE cities DROP CONSTRAINT cities_country", "cities_country"},
		"view replaced":      {"CREATE OR REPLACE VIEW north AS SELECT name, 1 AS places FROM cities", "north"},
		"sequence moved":     {"SELECT nextval('note_number')", "sequence note_number"},
		"default dropped":    {"ALTER TABLE notes ALTER id DROP DEFAULT", "column notes.id"},
		"grant added":        {"GRANT SELECT ON cities TO PUBLIC", "grant cities"},
		"comment dropped":    {"COMMENT ON VIEW north IS NULL", "comment north"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conn := loaded(t)
			before := look(t, conn)
			change(t, conn, test.sql)
			if err := look(t, conn).sameAs(before); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}

func TestObjectsAreCompared(t *testing.T) {
	t.Parallel()
	before := moment{objects: map[string]string{"a": "1", "b": "2", "c": "3"}}
	after := moment{objects: map[string]string{"a": "1", "b": "x", "d": "4"}}
	err := after.sameAs(before)
	for _, want := range []string{"3 differences", `"b" was 2, is x`, `"c" is gone`, `"d" is new`} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

func TestRepositoryDataLoads(t *testing.T) {
	t.Parallel()
	path := filepath.Join("..", "..", "..", "..", dataFile)
	if _, err := os.Stat(path); err != nil {
		t.Skip("the data lies in the repository only")
	}
	conn := loaded(t)
	change(t, conn, "TRUNCATE cities; ALTER TABLE cities DROP CONSTRAINT cities_country")
	rows, err := copyCities(t.Context(), conn, path)
	if err != nil || rows < 150000 {
		t.Errorf("copied %d rows: %v", rows, err)
	}
}
