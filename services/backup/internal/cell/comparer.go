package cell

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/naksha-cloud/naksha/services/backup/internal/manifest"
)

// Comparer reads one schema over several sessions, to compare it with a snapshot.
type Comparer struct{ sessions *Loader }

// Comparer opens sessions that read with all rows in sight. Close ends them.
func (t Target) Comparer(ctx context.Context, schema string, sessions int) (*Comparer, error) {
	l := &Loader{schema: schema, sessions: make(chan *pgx.Conn, sessions)}
	for range sessions {
		conn, err := t.connect(ctx, schema, map[string]string{"row_security": "off"})
		if err != nil {
			l.Close(ctx)
			return nil, err
		}
		l.sessions <- conn
	}
	return &Comparer{sessions: l}, nil
}

// Close ends the sessions that are free.
func (c *Comparer) Close(ctx context.Context) { c.sessions.Close(ctx) }

// Compare reads a table's rows and says where they differ from the manifest's. What was loaded in one COPY into an empty
// table comes out in the same order, so the bytes must be the snapshot's, frame by frame.
func (c *Comparer) Compare(ctx context.Context, table manifest.Table) error {
	want := &mirror{frames: table.Frames}
	err := c.sessions.with(ctx, func(conn *pgx.Conn) error { return copyOut(ctx, conn, c.sessions.schema, table, want) })
	return errors.Join(err, want.end())
}

// Structure lists the tables of a schema by name, and its sequences with their positions.
func (t Target) Structure(ctx context.Context, schema string) (tables []string, sequences []manifest.Sequence, err error) {
	conn, err := t.connect(ctx, schema, nil)
	if err != nil {
		return nil, nil, err
	}
	defer closeConn(ctx, conn)
	if _, err := conn.Exec(ctx, "BEGIN READ ONLY"); err != nil { // for the locks of the sequences; it ends with the session
		return nil, nil, fmt.Errorf("begin: %w", err)
	}
	rows, err := listTables(ctx, conn, schema)
	for _, r := range rows {
		if r.Kind == "r" {
			tables = append(tables, r.Name)
		}
	}
	found, err2 := readSequences(ctx, conn, schema)
	return tables, found, errors.Join(err, err2)
}

func ident(name string) string { return pgx.Identifier{name}.Sanitize() }
