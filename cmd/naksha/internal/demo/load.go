package demo

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5"
)

// shopTables is the customer's schema: keys, indexes, a foreign key, a sequence, a view, and values that are easily
// lost on the way. %[1]s is left out on purpose: the search path of the login decides.
const shopTables = `
CREATE TABLE cities (
    id      int PRIMARY KEY,
    name    text NOT NULL,
    country char(2) NOT NULL,
    admin1  text NOT NULL,
    admin2  text NOT NULL,
    lat     double precision NOT NULL CHECK (lat BETWEEN -90 AND 90),
    lng     double precision NOT NULL CHECK (lng BETWEEN -180 AND 180)
);
CREATE SEQUENCE note_number START 1000 INCREMENT 7;
CREATE TABLE notes (
    id      bigint PRIMARY KEY DEFAULT nextval('note_number'),
    body    text,
    tags    text[] NOT NULL DEFAULT '{}',
    extra   jsonb,
    raw     bytea,
    at      timestamptz,
    doubled numeric(30,10) GENERATED ALWAYS AS (id * 2) STORED
);`

const shopRelations = `
CREATE TABLE countries AS SELECT country AS code, count(*)::int AS places FROM cities GROUP BY country;
ALTER TABLE countries ALTER code SET NOT NULL, ADD PRIMARY KEY (code);
ALTER TABLE cities ADD CONSTRAINT cities_country FOREIGN KEY (country) REFERENCES countries (code) ON DELETE CASCADE;
CREATE INDEX cities_by_name ON cities (lower(name));
CREATE INDEX cities_by_place ON cities (country, admin1) WHERE admin1 <> '';
CREATE VIEW north AS SELECT c.name, o.places FROM cities c JOIN countries o ON o.code = c.country WHERE c.lat > 66.5;
COMMENT ON VIEW north IS 'beyond the Arctic circle; it''s cold';
INSERT INTO notes (body, tags, extra, raw, at) VALUES
    (NULL, '{}', NULL, NULL, 'infinity'),
    ('', '{"", "NULL", "a,b", "\"q\""}', '{"a": [1, 2.50, null]}', '\x00ff5c', '2026-02-28 23:59:59.999999+00'),
    (E'tab\there\nline \\N \\. end', '{naïve, 東京, 🗺️}', '"text"', ''::bytea, '0044-03-15 BC');
INSERT INTO notes (body) SELECT 'note ' || n FROM generate_series(1, 500) n;
ANALYZE;`

const neighbourTables = `
CREATE TABLE ledger (id int PRIMARY KEY, amount numeric(12,2) NOT NULL, memo text NOT NULL);
INSERT INTO ledger SELECT n, n * 0.01, md5(n::text) FROM generate_series(1, 20000) n;`

// objects is how many objects the shop keeps.
const objects = 240

// load fills both workspaces, each with its owner's own login and keys.
func load(ctx context.Context, w *world, f *finding) error {
	w.progress("loading the world's cities")
	begin := time.Now()
	rows, err := w.loadShop(ctx)
	if err != nil {
		return err
	}
	took := time.Since(begin)
	f.note("city_rows", rows)
	f.note("sql_seconds", took)
	f.say("%d cities by COPY, 3 tables, 2 indexes, 1 foreign key, 1 view, 1 sequence in %s", rows, Took(took))
	w.progress("writing objects")
	begin = time.Now()
	bodies, size := shopObjects()
	if err := w.shop.s3.PutAll(ctx, bodies); err != nil {
		return err
	}
	f.note("objects", len(bodies))
	f.note("object_bytes", size)
	f.note("s3_seconds", time.Since(begin))
	f.say("%d objects (%.1f MB) in %s", len(bodies), float64(size)/1e6, Took(time.Since(begin)))
	return w.loadNeighbour(ctx)
}

func (w *world) loadShop(ctx context.Context) (int64, error) {
	conn, err := w.shop.sql.Connect(ctx)
	if err != nil {
		return 0, fmt.Errorf("log in: %w", err)
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, shopTables); err != nil {
		return 0, fmt.Errorf("create tables: %w", err)
	}
	rows, err := copyCities(ctx, conn, w.cities)
	if err != nil {
		return 0, fmt.Errorf("copy cities: %w", err)
	}
	if _, err := conn.Exec(ctx, shopRelations); err != nil {
		return 0, fmt.Errorf("create indexes and relations: %w", err)
	}
	return rows, nil
}

// copyCities sends the file as it is, as psql's \copy would.
func copyCities(ctx context.Context, conn *pgx.Conn, path string) (int64, error) {
	cities, err := openCities(path)
	if err != nil {
		return 0, err
	}
	defer cities.Close()
	tag, err := conn.PgConn().CopyFrom(ctx, cities, "COPY cities FROM STDIN WITH (FORMAT csv, HEADER true, FORCE_NOT_NULL (admin1, admin2))")
	return tag.RowsAffected(), err
}

func (w *world) loadNeighbour(ctx context.Context) error {
	if err := w.neighbour.sql.Try(ctx, neighbourTables); err != nil {
		return fmt.Errorf("load the neighbour: %w", err)
	}
	return w.neighbour.s3.PutAll(ctx, map[string][]byte{"ledger.pdf": []byte("neighbour's"), "a/b": []byte("c")})
}

// oddNames are legal names of objects that careless software trips over.
func oddNames() []string {
	return []string{
		"a b/c  d.txt", "ünïcödé/日本語/ファイル.bin", "emoji/🗺️ map.dat", "plus+and&amp=%25?#.txt", `quote'"s.txt`, "trailing.dot.",
		"UPPER/Lower", "upper/Lower", "tilde~!@$^()[]{};,.bin", "deep/1/2/3/4/5/6/7/8/9/10/11/12/leaf", "عربي/ملف", "e\u0301 is not \u00e9",
	}
}

// shopObjects makes the objects, the same in each run: most are small, some have megabytes, one is empty.
func shopObjects() (bodies map[string][]byte, total int) {
	bodies = map[string][]byte{"empty": {}, "one byte": {0}}
	names := oddNames()
	for len(names) < objects-len(bodies) {
		names = append(names, fmt.Sprintf("invoices/2026/%02d/%04d.pdf", len(names)%12+1, len(names)))
	}
	for i, name := range names {
		size := 512 + i*i%(48<<10)
		if i%60 == 7 {
			size = 2<<20 + i*1009
		}
		body := make([]byte, size)
		_, _ = rand.NewChaCha8([32]byte{byte(i), byte(i >> 8)}).Read(body) // never fails
		bodies[name] = body
		total += size
	}
	return bodies, total + 1
}
