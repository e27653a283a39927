package demo

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/naksha-cloud/naksha/cmd/naksha/internal/demo/outsider"
)

// moment is everything that a workspace's owner can see of it at one time.
type moment struct {
	tables  map[string]string // name to row count and checksum, of tables and views
	catalog []string          // columns, keys, indexes, views, sequences with their positions, owners and grants
	objects map[string]string // key to SHA-256
	rows    int64
}

// relations are the tables and views in the login's own schema.
const relations = `SELECT relname FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p', 'v', 'm')
ORDER BY relname`

// checksum adds nothing up, so that equal sums mean equal rows: the rows' hashes are sorted and hashed again.
const checksum = `SELECT count(*), md5(coalesce(string_agg(h, '' ORDER BY h COLLATE "C"), '')) FROM (SELECT md5(t::text) AS h FROM %s t) s`

// catalog is the schema in Postgres' own words. The same statement before and after must give the same lines.
const catalog = `
WITH mine AS (SELECT * FROM pg_class WHERE relnamespace = current_schema()::regnamespace)
SELECT line FROM (
    SELECT 'column ' || c.relname || '.' || a.attname || ' ' || format_type(a.atttypid, a.atttypmod) || ' not null ' || a.attnotnull
        || ' generated ' || (a.attgenerated <> '') || ' default ' || coalesce(pg_get_expr(d.adbin, d.adrelid), '-') AS line
    FROM mine c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
    WHERE c.relkind IN ('r', 'p', 'v', 'm')
    UNION ALL SELECT 'index ' || pg_get_indexdef(oid) FROM mine WHERE relkind IN ('i', 'I')
    UNION ALL SELECT 'constraint ' || c.relname || '.' || n.conname || ' ' || pg_get_constraintdef(n.oid)
    FROM mine c JOIN pg_constraint n ON n.conrelid = c.oid
    UNION ALL SELECT 'view ' || relname || ' ' || pg_get_viewdef(oid) FROM mine WHERE relkind IN ('v', 'm')
    UNION ALL SELECT 'comment ' || relname || ' ' || obj_description(oid, 'pg_class') FROM mine
    UNION ALL SELECT 'sequence ' || sequencename || ' ' || concat_ws(' ', data_type, start_value, increment_by, min_value, max_value, cycle, last_value)
    FROM pg_sequences WHERE schemaname = current_schema()
    UNION ALL SELECT 'owner ' || relname || ' ' || pg_get_userbyid(relowner) FROM mine
    UNION ALL SELECT 'grant ' || c.relname || ' ' || pg_get_userbyid(g.grantee) || ' ' || g.privilege_type
    FROM mine c, aclexplode(coalesce(c.relacl, acldefault(CASE c.relkind WHEN 'S' THEN 's'::"char" ELSE 'r'::"char" END, c.relowner))) g
    WHERE c.relkind <> 'i'
) lines WHERE line IS NOT NULL ORDER BY line COLLATE "C"`

// observe looks at a workspace with its owner's own login and keys.
func (ws *workspace) observe(ctx context.Context) (moment, error) {
	m, err := observeSQL(ctx, ws.sql)
	if err != nil {
		return m, fmt.Errorf("look at the tables of %s: %w", ws.name, err)
	}
	if m.objects, err = ws.s3.Hashes(ctx); err != nil {
		return m, fmt.Errorf("look at the objects of %s: %w", ws.name, err)
	}
	return m, nil
}

func observeSQL(ctx context.Context, login outsider.SQL) (moment, error) {
	conn, err := login.Connect(ctx)
	if err != nil {
		return moment{}, err
	}
	defer conn.Close(ctx)
	return observeConn(ctx, conn)
}

// observeConn reads tables and catalog in one snapshot of the database.
func observeConn(ctx context.Context, conn *pgx.Conn) (m moment, err error) {
	err = pgx.BeginTxFunc(ctx, conn, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "SET LOCAL timezone = 'UTC'; SET LOCAL datestyle = 'ISO'; SET LOCAL extra_float_digits = 3"); err != nil {
			return err
		}
		if m.catalog, err = lines(ctx, tx, catalog); err != nil {
			return fmt.Errorf("catalog: %w", err)
		}
		return m.addTables(ctx, tx)
	})
	return m, err
}

func (m *moment) addTables(ctx context.Context, tx pgx.Tx) error {
	names, err := lines(ctx, tx, relations)
	if err != nil {
		return err
	}
	m.tables = map[string]string{}
	for _, name := range names {
		var rows int64
		var sum string
		if err := tx.QueryRow(ctx, fmt.Sprintf(checksum, pgx.Identifier{name}.Sanitize())).Scan(&rows, &sum); err != nil {
			return fmt.Errorf("table %s: %w", name, err)
		}
		m.tables[name] = fmt.Sprintf("%d rows %s", rows, sum)
		m.rows += rows
	}
	return nil
}

func lines(ctx context.Context, tx pgx.Tx, query string) ([]string, error) {
	rows, err := tx.Query(ctx, query)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[string])
}

// sameAs returns an error that names what differs from an earlier moment.
func (m moment) sameAs(before moment) error {
	var differ []string
	differ = append(differ, different("table", before.tables, m.tables)...)
	differ = append(differ, different("object", before.objects, m.objects)...)
	differ = append(differ, different("catalog line", set(before.catalog), set(m.catalog))...)
	if len(differ) == 0 {
		return nil
	}
	const shown = 5
	return fmt.Errorf("%d differences: %s", len(differ), strings.Join(differ[:min(shown, len(differ))], "; "))
}

func different(what string, before, after map[string]string) []string {
	var differ []string
	for _, name := range slices.Sorted(maps.Keys(before)) {
		switch now, there := after[name]; {
		case !there:
			differ = append(differ, fmt.Sprintf("%s %q is gone", what, name))
		case now != before[name]:
			differ = append(differ, fmt.Sprintf("%s %q was %s, is %s", what, name, before[name], now))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(after)) {
		if _, there := before[name]; !there {
			differ = append(differ, fmt.Sprintf("%s %q is new", what, name))
		}
	}
	return differ
}

func set(all []string) map[string]string {
	found := make(map[string]string, len(all))
	for _, one := range all {
		found[one] = "there"
	}
	return found
}
