package tenant_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/naksha-cloud/naksha/pkg/pg"
	"github.com/naksha-cloud/naksha/pkg/service/servicetest"
	"github.com/naksha-cloud/naksha/services/tenant"
	"github.com/naksha-cloud/naksha/services/tenant/internal/cell"
)

// plant is what somebody with a workspace's login can leave behind: code that tells what is in a table, in reach of
// everybody who names a type by its number.
const plant = `
	CREATE TABLE secret (v text);
	INSERT INTO secret VALUES ('hidden');
	CREATE FUNCTION tell(v text) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'told %', v; END $$;

	CREATE FUNCTION look(v text) RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER AS $$
		BEGIN RAISE EXCEPTION 'told %', (SELECT s.v FROM $schema.secret s); END $$;
	CREATE DOMAIN checked AS text CHECK (look(VALUE));

	CREATE TYPE mood AS ENUM ('x');
	CREATE FUNCTION spell(v mood) RETURNS json LANGUAGE plpgsql AS $$
		BEGIN RAISE EXCEPTION 'told %', (SELECT s.v FROM $schema.secret s); END $$;
	ALTER FUNCTION spell SECURITY DEFINER;
	REVOKE ALL ON FUNCTION spell FROM PUBLIC;
	CREATE CAST (mood AS json) WITH FUNCTION spell(mood);

	GRANT SELECT (v) ON secret TO PUBLIC;
	CREATE FUNCTION parsed() RETURNS text LANGUAGE sql BEGIN ATOMIC SELECT v FROM secret; END;
	CREATE DOMAIN granted AS text CHECK (tell(parsed()));

	ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC;
	CREATE TABLE later (v text);
	INSERT INTO later VALUES ('hidden');
	CREATE FUNCTION parsed_later() RETURNS text LANGUAGE sql BEGIN ATOMIC SELECT v FROM later; END;
	CREATE DOMAIN granted_later AS text CHECK (tell(parsed_later()));
`

// ways are types of a plant, and the statement with which a neighbour runs what is behind each.
var ways = map[string]string{
	"checked": "SELECT $1", "mood": "SELECT to_json($1)", "granted": "SELECT $1", "granted_later": "SELECT $1",
}

// told lists the ways on which a session hears what a plant tells.
func told(t *testing.T, session *pgx.Conn, schema string) (heard []string) {
	t.Helper()
	for name, statement := range ways {
		number := scan[uint32](t, session, "SELECT t.oid FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace WHERE nspname = $1 AND typname = $2", schema, name)
		err := session.PgConn().ExecParams(t.Context(), statement, [][]byte{[]byte("x")}, []uint32{number}, nil, nil).Read().Err
		if err != nil && strings.Contains(err.Error(), "hidden") {
			heard = append(heard, name)
		}
	}
	return heard
}

func TestNothingPlantedInAWorkspaceActsForItsNeighbour(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	i := w.start(t, tenant.Deps{})
	made := i.create(t, "leaked")
	schema := "w_" + refOf(made.GetWorkspace())
	owner, neighbour := login(t, made.GetCredentials().GetDatabaseUrl()), login(t, i.create(t, "neighbour").GetCredentials().GetDatabaseUrl())
	run(t, owner, strings.ReplaceAll(plant, "$schema", schema))
	if heard := told(t, neighbour, schema); len(heard) != 0 {
		t.Errorf("the neighbour reads the rows by %v", heard)
	}
	if heard := told(t, owner, schema); len(heard) != len(ways) {
		t.Errorf("its owner hears only %v", heard)
	}
	for _, statement := range []string{
		"DROP EVENT TRIGGER naksha_wall", "ALTER EVENT TRIGGER naksha_wall DISABLE", "SET session_replication_role = replica",
		"CREATE OR REPLACE VIEW naksha_wall.gap AS SELECT 1", "DROP FUNCTION naksha_wall.keep() CASCADE",
	} {
		if _, err := owner.Exec(t.Context(), statement); err == nil {
			t.Errorf("%s works", statement)
		}
	}
}

func TestWhatWasPlantedBeforeTheWallEndsWithTheNextStart(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	i := w.start(t, tenant.Deps{})
	made := i.create(t, "leaked")
	schema := "w_" + refOf(made.GetWorkspace())
	neighbour := login(t, i.create(t, "neighbour").GetCredentials().GetDatabaseUrl())
	run(t, w.superuser(t), "DROP EVENT TRIGGER naksha_wall") // as in a cell of an earlier release
	owner := login(t, made.GetCredentials().GetDatabaseUrl())
	run(t, owner, strings.ReplaceAll(plant, "$schema", schema))
	if heard := told(t, neighbour, schema); len(heard) != len(ways) {
		t.Fatalf("only %v tell without the wall: the test shows nothing", heard)
	}
	w.start(t, tenant.Deps{})
	servicetest.Eventually(t, func() error {
		if heard := told(t, neighbour, schema); len(heard) != 0 {
			return fmt.Errorf("the open session of the neighbour reads the rows by %v", heard)
		}
		return nil
	})
	run(t, owner, "CREATE TABLE after (v text)")
	if n := scan[int](t, w.superuser(t), "SELECT count(*) FROM naksha_wall.gap WHERE remedy LIKE '%' || $1 || '%'", schema); n != 0 {
		t.Errorf("%d gaps are left", n)
	}
}

func TestWhatARestoreBringsBackActsForNobodyEither(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := stage(t, w)
	schema, staged := "w_"+refOf(r.made.GetWorkspace()), cell.Restore{Ref: refOf(r.made.GetWorkspace()), ID: r.id}.Staged()
	neighbour := login(t, r.create(t, "neighbour").GetCredentials().GetDatabaseUrl())
	run(t, login(t, as(t, r.customer, staged, "loader")), strings.ReplaceAll(plant, "$schema", schema))
	r.swap(t)
	if heard := told(t, neighbour, schema); len(heard) != 0 {
		t.Errorf("the neighbour reads the rows by %v", heard)
	}
}

func TestNeighbourCannotPinAType(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	i := w.start(t, tenant.Deps{})
	made := i.create(t, "pinned")
	schema := "w_" + refOf(made.GetWorkspace())
	owner, neighbour := login(t, made.GetCredentials().GetDatabaseUrl()), login(t, i.create(t, "neighbour").GetCredentials().GetDatabaseUrl())
	run(t, owner, "CREATE TABLE t (v text)", "CREATE TABLE own AS SELECT t FROM t", "DROP TABLE own")
	for _, name := range []string{"t", "_t"} { // of its rows, and of arrays of them
		number := scan[uint32](t, neighbour, "SELECT t.oid FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace WHERE nspname = $1 AND typname = $2", schema, name)
		for _, statement := range []string{"CREATE TABLE pin AS SELECT $1 AS v", "SELECT $1 AS v INTO pin"} {
			err := neighbour.PgConn().ExecParams(t.Context(), statement, [][]byte{nil}, []uint32{number}, nil, nil).Read().Err
			if pg.SQLState(err) != "42501" {
				t.Errorf("%s with type %s: %v", statement, name, err)
			}
		}
	}
	run(t, owner, "ALTER TABLE t ALTER v TYPE int USING 0", "DROP TABLE t")
}

// PostgreSQL 14 let a login pass on its own role; a workspace's rights would outlive rotation and deletion that way.
func TestLoginCannotPassItselfOn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	i := w.start(t, tenant.Deps{})
	made, other := i.create(t, "leaked"), i.create(t, "neighbour")
	role, neighbour := "w_"+refOf(made.GetWorkspace()), "w_"+refOf(other.GetWorkspace())
	owner := login(t, made.GetCredentials().GetDatabaseUrl())
	for _, statement := range []string{
		"GRANT $own_g1 TO $other_g1", "GRANT $own_g1 TO $other", "GRANT $own_g1 TO $other_g1 WITH ADMIN OPTION", "GRANT $own TO $other_g1",
		"GRANT $own_g1 TO $other_g1 GRANTED BY CURRENT_USER", "ALTER GROUP $own_g1 ADD USER $other_g1", "REVOKE $own FROM $own_g1",
		"GRANT $own_g1 TO $own", "ALTER ROLE $own_g1 RENAME TO w_mine", "ALTER ROLE $own_g1 RESET log_min_messages",
	} {
		statement = strings.NewReplacer("$own", role, "$other", neighbour).Replace(statement)
		for _, as := range []string{"NONE", role} {
			run(t, owner, "SET ROLE "+as)
			if _, err := owner.Exec(t.Context(), statement); err == nil {
				t.Errorf("as role %s: %s works", as, statement)
			}
		}
	}
	members := scan[string](t, w.superuser(t), `SELECT string_agg(member::regrole || ' of ' || roleid::regrole, ', ') FROM pg_auth_members
		WHERE roleid IN ($1::regrole, ($1 || '_g1')::regrole)`, role)
	if want := role + "_g1 of " + role; members != want {
		t.Errorf("%s, want %s", members, want)
	}
	if _, err := login(t, other.GetCredentials().GetDatabaseUrl()).Exec(t.Context(), "SET ROLE "+role); pg.SQLState(err) != "42501" {
		t.Errorf("the neighbour takes the role: %v", err)
	}
}
