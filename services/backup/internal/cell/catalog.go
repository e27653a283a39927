package cell

import (
	"context"
	"embed"
	"fmt"
	"io"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/naksha-cloud/naksha/services/backup/internal/manifest"
)

//go:embed query/*.sql
var queries embed.FS

// query returns the text of query/<name>.sql; the names are this package's own.
func query(name string) string {
	text, err := queries.ReadFile("query/" + name + ".sql")
	if err != nil {
		panic(err)
	}
	return string(text)
}

// tableRow is a table or partitioned table as the catalog shows it.
type tableRow struct {
	Name    string
	Kind    string // pg_class.relkind: r or p
	Bytes   int64
	Columns []string // in order, without generated ones
}

func listTables(ctx context.Context, conn *pgx.Conn, schema string) ([]tableRow, error) {
	rows, err := conn.Query(ctx, query("tables"), schema)
	if err != nil {
		return nil, fmt.Errorf("list tables: %w", err)
	}
	tables, err := pgx.CollectRows(rows, pgx.RowToStructByPos[tableRow])
	if err != nil {
		return nil, fmt.Errorf("list tables: %w", err)
	}
	return tables, nil
}

// readSequences reads the positions, inside of a transaction. The listing locks each sequence; that its name is still its
// own is checked under the lock. Otherwise something else could have taken the name, and would be planned as the reader.
func readSequences(ctx context.Context, conn *pgx.Conn, schema string) ([]manifest.Sequence, error) {
	rows, err := conn.Query(ctx, query("sequences"), schema)
	if err != nil {
		return nil, fmt.Errorf("list sequences: %w", err)
	}
	type sequence struct {
		Name     string
		OID      uint32
		Position *int64 // not the whole truth: NULL before the first nextval
	}
	listed, err := pgx.CollectRows(rows, pgx.RowToStructByPos[sequence])
	if err != nil {
		return nil, fmt.Errorf("list sequences: %w", err)
	}
	found := make([]manifest.Sequence, len(listed))
	same, batch := &pgx.Batch{}, &pgx.Batch{}
	for i, s := range listed {
		name := pgx.Identifier{schema, s.Name}.Sanitize()
		found[i].Name = s.Name
		same.Queue(query("sequence_name"), name, s.OID).QueryRow(func(row pgx.Row) error {
			var held bool
			if err := row.Scan(&held); err != nil || held {
				return err
			}
			return fmt.Errorf("%q was replaced meanwhile", s.Name)
		})
		batch.Queue("SELECT last_value, is_called FROM " + name).
			QueryRow(func(row pgx.Row) error { return row.Scan(&found[i].LastValue, &found[i].Called) })
	}
	if err := conn.SendBatch(ctx, same).Close(); err != nil {
		return nil, fmt.Errorf("lock sequences: %w", err)
	}
	if err := conn.SendBatch(ctx, batch).Close(); err != nil {
		return nil, fmt.Errorf("read sequences: %w", err)
	}
	return found, nil
}

// copyOut writes a table's own rows to w in COPY text form. The columns are listed in the order of the manifest: a restored
// table that inherits may have another order.
func copyOut(ctx context.Context, conn *pgx.Conn, schema string, t manifest.Table, w io.Writer) error {
	if _, err := conn.PgConn().CopyTo(ctx, w, "COPY "+copyList(schema, t)+" TO STDOUT"); err != nil {
		return fmt.Errorf("copy rows of %q: %w", t.Name, err)
	}
	return nil
}

// copyList is `schema.table (columns)`. A table without columns to copy gets no list, which means the same.
func copyList(schema string, t manifest.Table) string {
	name := pgx.Identifier{schema, t.Name}.Sanitize()
	if len(t.Columns) == 0 {
		return name
	}
	return name + " (" + columnList(t.Columns) + ")"
}

func columnList(columns []string) string {
	quoted := make([]string, len(columns))
	for i, c := range columns {
		quoted[i] = pgx.Identifier{c}.Sanitize()
	}
	return strings.Join(quoted, ", ")
}
