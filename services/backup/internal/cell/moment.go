package cell

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/jackc/pgx/v5"

	"github.com/naksha-cloud/naksha/pkg/fault"
	"github.com/naksha-cloud/naksha/services/backup/internal/manifest"
)

// Moment is a workspace's schema as it was at one instant, for several sessions at once.
type Moment struct {
	target   Target
	schema   string
	guard    *pgx.Conn      // holds ACCESS SHARE on every table: neither DDL nor TRUNCATE, which is not MVCC, gets between
	leader   *pgx.Conn      // exported the snapshot and keeps it alive
	sessions chan *pgx.Conn // that read in the snapshot
	id       string         // of the exported snapshot

	// Version is server_version.
	Version string
	// Tables are the schema's tables, largest first, without their rows.
	Tables []TableInfo
	// Sequences are the schema's sequences. Their positions are not transactional: they may be ahead of the rows.
	Sequences []manifest.Sequence
}

// TableInfo is a table with its size on disk.
type TableInfo struct {
	manifest.Table
	Bytes int64
}

// lockPatience bounds the wait for a customer's own ALTER TABLE or the like.
const lockPatience = "30s"

// locksTries bounds how often tables may appear between the listing and the snapshot.
const lockTries = 10

// Open fixes the instant. Close ends it.
func (t Target) Open(ctx context.Context, schema string, workers int) (_ *Moment, err error) {
	m := &Moment{target: t, schema: schema, sessions: make(chan *pgx.Conn, workers)}
	defer func() {
		if err != nil {
			m.Close(ctx)
		}
	}()
	if m.guard, err = t.connect(ctx, schema, map[string]string{"lock_timeout": lockPatience}); err != nil {
		return nil, err
	}
	if m.leader, err = t.connect(ctx, schema, nil); err != nil {
		return nil, err
	}
	if err := m.fix(ctx); err != nil {
		return nil, err
	}
	for range workers {
		conn, err := m.session(ctx)
		if err != nil {
			return nil, err
		}
		m.sessions <- conn
	}
	return m, nil
}

// fix takes the locks first and the snapshot second, and begins again when the snapshot shows a table that is not locked.
func (m *Moment) fix(ctx context.Context) error {
	if _, err := m.guard.Exec(ctx, "BEGIN"); err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	locked := map[string]bool{}
	tables, err := listTables(ctx, m.guard, m.schema)
	if err != nil {
		return err
	}
	for range lockTries {
		if err := m.lock(ctx, tables, locked); err != nil {
			return err
		}
		if tables, err = m.export(ctx); err != nil {
			return err
		}
		if allLocked(tables, locked) {
			return m.read(ctx, tables)
		}
		if _, err := m.leader.Exec(ctx, "ROLLBACK"); err != nil {
			return fmt.Errorf("give snapshot up: %w", err)
		}
	}
	return fault.Unavailable("SCHEMA_CHANGING", "The workspace's tables change faster than a snapshot can begin.").
		WithRemedy("Take the snapshot when no migration runs.")
}

func allLocked(tables []tableRow, locked map[string]bool) bool {
	for _, t := range tables {
		if !locked[t.Name] {
			return false
		}
	}
	return true
}

func (m *Moment) lock(ctx context.Context, tables []tableRow, locked map[string]bool) error {
	for _, t := range tables {
		if locked[t.Name] {
			continue
		}
		_, err := m.guard.Exec(ctx, "LOCK TABLE ONLY "+pgx.Identifier{m.schema, t.Name}.Sanitize()+" IN ACCESS SHARE MODE")
		switch state(err) {
		case "":
			if err != nil {
				return fmt.Errorf("lock table: %w", err)
			}
			locked[t.Name] = true
		case "42P01": // dropped since it was listed; the guard's transaction is over
			return m.relock(ctx, locked)
		case "55P03":
			return fault.Unavailable("TABLE_LOCKED", "A table of the workspace is locked for longer than %s.", lockPatience).
				WithRemedy("End the migration or transaction that holds it, and try again.").WithCause(err)
		default:
			return fmt.Errorf("lock table: %w", err)
		}
	}
	return nil
}

// relock begins the guard's transaction again after an error ended it: nothing is locked any more.
func (m *Moment) relock(ctx context.Context, locked map[string]bool) error {
	clear(locked)
	if _, err := m.guard.Exec(ctx, "ROLLBACK; BEGIN"); err != nil {
		return fmt.Errorf("begin again: %w", err)
	}
	return nil
}

func (m *Moment) export(ctx context.Context) ([]tableRow, error) {
	if _, err := m.leader.Exec(ctx, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"); err != nil {
		return nil, fmt.Errorf("begin: %w", err)
	}
	if err := m.leader.QueryRow(ctx, "SELECT pg_export_snapshot()").Scan(&m.id); err != nil {
		return nil, fmt.Errorf("export snapshot: %w", err)
	}
	return listTables(ctx, m.leader, m.schema)
}

func (m *Moment) read(ctx context.Context, tables []tableRow) (err error) {
	m.Version = m.leader.PgConn().ParameterStatus("server_version")
	for _, t := range tables {
		if t.Kind == "r" {
			m.Tables = append(m.Tables, TableInfo{
				Table: manifest.Table{Name: t.Name, Columns: t.Columns}, Bytes: t.Bytes,
			})
		}
	}
	m.Sequences, err = readSequences(ctx, m.leader, m.schema)
	return err
}

// session opens one more session in the snapshot.
func (m *Moment) session(ctx context.Context) (*pgx.Conn, error) {
	conn, err := m.target.connect(ctx, m.schema, nil)
	if err != nil {
		return nil, err
	}
	_, err = conn.Exec(ctx, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL row_security = off; SET TRANSACTION SNAPSHOT '"+m.id+"'")
	if err != nil {
		closeConn(ctx, conn)
		return nil, fmt.Errorf("enter snapshot: %w", err)
	}
	return conn, nil
}

// with runs f on a free session.
func (m *Moment) with(ctx context.Context, f func(conn *pgx.Conn) error) error {
	select {
	case conn := <-m.sessions:
		defer func() { m.sessions <- conn }()
		return f(conn)
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Copy writes the table's rows to w in COPY text form, and returns how many there are and their checksum.
func (m *Moment) Copy(ctx context.Context, t manifest.Table, w io.Writer) (rows int64, checksum string, err error) {
	sum := &rowSum{columns: len(t.Columns)}
	err = m.with(ctx, func(conn *pgx.Conn) error { return copyOut(ctx, conn, m.schema, t, io.MultiWriter(w, sum)) })
	return sum.rows, sum.text(), err
}

// PreData and PostData are the schema's DDL at the same instant.
func (m *Moment) PreData(ctx context.Context) ([]byte, error) {
	return m.target.Dump(ctx, m.schema, "pre-data", m.id)
}

// PostData is the DDL that is run when the rows are there: indexes, constraints, triggers, policies.
func (m *Moment) PostData(ctx context.Context) ([]byte, error) {
	return m.target.Dump(ctx, m.schema, "post-data", m.id)
}

// Close ends all sessions, and with them locks and snapshot.
func (m *Moment) Close(ctx context.Context) {
	for {
		select {
		case conn := <-m.sessions:
			closeConn(ctx, conn)
			continue
		default:
		}
		break
	}
	for _, conn := range []*pgx.Conn{m.leader, m.guard} {
		if conn != nil {
			closeConn(ctx, conn)
		}
	}
}

// Alive says whether the instant still holds: a leader that died has taken the snapshot, a guard the locks with it.
func (m *Moment) Alive(ctx context.Context) error {
	return errors.Join(m.leader.Ping(ctx), m.guard.Ping(ctx))
}
