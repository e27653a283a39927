package cell

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/naksha-cloud/naksha/services/backup/internal/manifest"
	"github.com/naksha-cloud/naksha/services/backup/internal/snapshot"
)

// Summer reads one schema over several sessions, to compare it.
type Summer struct{ sessions *Loader }

// Summer opens sessions that read with all rows in sight. Close ends them.
func (t Target) Summer(ctx context.Context, schema string, sessions int) (*Summer, error) {
	l := &Loader{schema: schema, sessions: make(chan *pgx.Conn, sessions)}
	for range sessions {
		conn, err := t.connect(ctx, schema, map[string]string{"row_security": "off"})
		if err != nil {
			l.Close(ctx)
			return nil, err
		}
		l.sessions <- conn
	}
	return &Summer{sessions: l}, nil
}

// Close ends the sessions that are free.
func (s *Summer) Close(ctx context.Context) { s.sessions.Close(ctx) }

// Sum computes row count and checksum of a table.
func (s *Summer) Sum(ctx context.Context, table manifest.Table) (found snapshot.Table, err error) {
	found.Name = table.Name
	err = s.sessions.with(ctx, func(conn *pgx.Conn) (err error) {
		found.Rows, found.Checksum, err = sum(ctx, conn, s.sessions.schema, table)
		return err
	})
	return found, err
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
