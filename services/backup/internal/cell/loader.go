package cell

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"github.com/naksha-cloud/naksha/services/backup/internal/ddl"
	"github.com/naksha-cloud/naksha/services/backup/internal/manifest"
)

// loading are the settings of sessions that load. Their commits need not be durable one by one: the commit of the swap is,
// and with it all before it.
func loading() map[string]string {
	return map[string]string{
		"synchronous_commit": "off", "maintenance_work_mem": "128MB", "check_function_bodies": "off",
		"default_table_access_method": "heap", "default_tablespace": "",
	}
}

// execAll runs statements as one, in one transaction.
func execAll(ctx context.Context, conn *pgx.Conn, statements []string) error {
	if len(statements) == 0 {
		return nil
	}
	_, err := conn.PgConn().Exec(ctx, strings.Join(statements, ";\n")).ReadAll()
	return err
}

// Loader fills one schema over several sessions.
type Loader struct {
	schema   string
	sessions chan *pgx.Conn
}

// Loader opens sessions that act as the workspace's role. Close ends them.
func (t Target) Loader(ctx context.Context, schema, role string, sessions int) (*Loader, error) {
	l := &Loader{schema: schema, sessions: make(chan *pgx.Conn, sessions)}
	settings := loading()
	settings["role"] = role
	for range sessions {
		conn, err := t.connect(ctx, schema, settings)
		if err != nil {
			l.Close(ctx)
			return nil, err
		}
		l.sessions <- conn
	}
	return l, nil
}

// Close ends the sessions that are free.
func (l *Loader) Close(ctx context.Context) {
	for {
		select {
		case conn := <-l.sessions:
			closeConn(ctx, conn)
			continue
		default:
		}
		return
	}
}

func (l *Loader) with(ctx context.Context, f func(conn *pgx.Conn) error) error {
	select {
	case conn := <-l.sessions:
		defer func() { l.sessions <- conn }()
		return f(conn)
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Build runs the first half of a DDL.
func (l *Loader) Build(ctx context.Context, script string) error {
	return l.with(ctx, func(conn *pgx.Conn) error {
		if err := execAll(ctx, conn, ddl.PlanOf(script, l.schema).All); err != nil {
			return fmt.Errorf("build tables: %w", err)
		}
		return nil
	})
}

// Fill loads a table's rows from their COPY form. The table is emptied in the same transaction: a repeat is harmless,
// and the rows are frozen, which spares the next readers a rewrite.
func (l *Loader) Fill(ctx context.Context, t manifest.Table, rows io.Reader) error {
	return l.with(ctx, func(conn *pgx.Conn) error {
		tx, err := conn.Begin(ctx)
		if err != nil {
			return fmt.Errorf("begin: %w", err)
		}
		defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }() // nothing to do after a commit
		if _, err := tx.Exec(ctx, "TRUNCATE ONLY "+pgx.Identifier{l.schema, t.Name}.Sanitize()); err != nil {
			return fmt.Errorf("empty %q: %w", t.Name, err)
		}
		tag, err := conn.PgConn().CopyFrom(ctx, rows, "COPY "+copyList(l.schema, t)+" FROM STDIN (FREEZE)")
		if err != nil {
			return fmt.Errorf("load rows of %q: %w", t.Name, err)
		}
		if tag.RowsAffected() != t.Rows {
			return fmt.Errorf("load rows of %q: %d of %d arrived", t.Name, tag.RowsAffected(), t.Rows)
		}
		return tx.Commit(ctx)
	})
}

// Position sets the sequences.
func (l *Loader) Position(ctx context.Context, sequences []manifest.Sequence) error {
	return l.with(ctx, func(conn *pgx.Conn) error {
		batch := &pgx.Batch{}
		for _, s := range sequences {
			batch.Queue("SELECT pg_catalog.setval($1::pg_catalog.regclass, $2, $3)", pgx.Identifier{l.schema, s.Name}.Sanitize(), s.LastValue, s.Called)
		}
		if err := conn.SendBatch(ctx, batch).Close(); err != nil {
			return fmt.Errorf("set sequences: %w", err)
		}
		return nil
	})
}

// deadlockTries bounds how often a statement that lost a deadlock is run: foreign keys lock two tables each.
const deadlockTries = 20

// Run runs statements side by side, as many as there are sessions.
func (l *Loader) Run(ctx context.Context, statements []string) error {
	work, ctx := errgroup.WithContext(ctx)
	for _, statement := range statements {
		work.Go(func() error { return l.statement(ctx, statement) })
	}
	return work.Wait()
}

func (l *Loader) statement(ctx context.Context, statement string) error {
	return l.with(ctx, func(conn *pgx.Conn) error {
		var err error
		for range deadlockTries {
			if err = execAll(ctx, conn, []string{statement}); state(err) != "40P01" {
				break
			}
		}
		if err != nil {
			return fmt.Errorf("build indexes and constraints: %w", err)
		}
		return nil
	})
}
