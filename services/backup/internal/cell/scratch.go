package cell

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/naksha-cloud/naksha/services/backup/internal/ddl"
)

// Scratch is an empty database in which a schema's DDL gets another schema name: the DDL is run there, Postgres renames
// the schema with all that refers to it, and pg_dump writes the DDL again. Text is never replaced. All is done with the
// restore's login, as the role that owns what customers make: their code runs as nobody else.
type Scratch struct {
	target   Target
	conn     *pgx.Conn
	from, to string
	names    *strings.Replacer
}

// Scratch opens the database that t names. Close ends it; whoever made the database drops it.
func (t Target) Scratch(ctx context.Context, role, from, to string) (*Scratch, error) {
	conn, err := t.connect(ctx, from, loading())
	if err != nil {
		return nil, err
	}
	s := &Scratch{target: t, conn: conn, from: from, to: to}
	s.names = strings.NewReplacer("$from", ident(from), "$to", ident(to), "$role", ident(role))
	if err := s.run(ctx, `SET ROLE NONE; DROP SCHEMA IF EXISTS $from CASCADE; DROP SCHEMA IF EXISTS $to CASCADE;
		CREATE SCHEMA $to; GRANT ALL ON SCHEMA $to TO $role`); err != nil {
		s.Close(ctx)
		return nil, err
	}
	return s, nil
}

// Close ends the session.
func (s *Scratch) Close(ctx context.Context) { closeConn(ctx, s.conn) }

// Rename adds one section of the old DDL to what is there, and returns it under the new name.
func (s *Scratch) Rename(ctx context.Context, section, script string) (string, error) {
	if err := s.run(ctx, `SET ROLE NONE; ALTER SCHEMA $to RENAME TO $from; SET ROLE $role`); err != nil {
		return "", err
	}
	if err := execAll(ctx, s.conn, ddl.PlanOf(script, s.from).All); err != nil {
		return "", fmt.Errorf("build structure in scratch database: %w", err)
	}
	if err := s.run(ctx, `SET ROLE NONE; ALTER SCHEMA $from RENAME TO $to`); err != nil {
		return "", err
	}
	renamed, err := s.target.Dump(ctx, s.to, section, "")
	return string(renamed), err
}

// sharedSchema holds the platform's functions that stand in for advisory locks (services/tenant). A customer's views and
// defaults may call them, so they must exist where its DDL is run.
const sharedSchema = "naksha_lock"

// Lend gives the scratch database the platform's shared functions, when the DDL speaks of them. home is the cell.
func (s *Scratch) Lend(ctx context.Context, home Target, scripts ...string) error {
	if !strings.Contains(strings.Join(scripts, "\n"), sharedSchema+".") {
		return nil
	}
	shared, err := home.Dump(ctx, sharedSchema, "pre-data", "")
	if err != nil {
		return err
	}
	if err := s.run(ctx, "SET ROLE NONE; CREATE SCHEMA IF NOT EXISTS "+sharedSchema+"; GRANT USAGE ON SCHEMA "+sharedSchema+" TO PUBLIC"); err != nil {
		return err
	}
	if err := execAll(ctx, s.conn, ddl.PlanOf(string(shared), sharedSchema).All); err != nil {
		return fmt.Errorf("lend shared functions to scratch database: %w", err)
	}
	return nil
}

func (s *Scratch) run(ctx context.Context, statements string) error {
	if _, err := s.conn.Exec(ctx, s.names.Replace(statements)); err != nil {
		return fmt.Errorf("rename in scratch database: %w", err)
	}
	return nil
}
