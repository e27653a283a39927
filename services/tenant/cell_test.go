package tenant_test

import (
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"

	"github.com/naksha-cloud/naksha/pkg/pg"
	"github.com/naksha-cloud/naksha/pkg/service/servicetest"
	tenantv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/tenant/v1"
	"github.com/naksha-cloud/naksha/services/tenant"
	"github.com/naksha-cloud/naksha/services/tenant/internal/cell"
	"github.com/naksha-cloud/naksha/services/tenant/internal/store/cellstore"
)

// as is the connection string of another login to the same database.
func as(t testing.TB, databaseURL, user, password string) string {
	t.Helper()
	u, err := url.Parse(databaseURL)
	if err != nil {
		t.Fatal(err)
	}
	u.User = url.UserPassword(user, password)
	return u.String()
}

func TestNextGenerationOwnsWhatTheFirstMade(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	i := w.start(t, tenant.Deps{})
	made := i.create(t, "rotated")
	owner, first := made.GetWorkspace().GetName(), made.GetCredentials().GetDatabaseUrl()
	old := login(t, first)
	run(t, old, "CREATE TABLE t (i int)", "INSERT INTO t VALUES (1)")

	install := &tenantv1.InstallLoginRequest{Owner: owner, Generation: 2, ScramVerifier: verifier(t, "second")}
	for range 2 { // a repeat adopts
		if _, err := i.cells.InstallLogin(t.Context(), install); err != nil {
			t.Fatal(err)
		}
	}
	_, err := i.cells.InstallLogin(t.Context(), &tenantv1.InstallLoginRequest{Owner: owner, Generation: 1, ScramVerifier: verifier(t, "x")})
	wantReason(t, "install over the customer's generation", err, "LOGIN_ACTIVE")
	next := login(t, as(t, first, "w_"+refOf(made.GetWorkspace())+"_g2", "second"))
	run(t, next, "INSERT INTO t VALUES (2)", "ALTER TABLE t ADD COLUMN j int")

	seen := observe(t, i, owner)
	if len(seen) != 2 || seen[0].GetSessions() != 1 || seen[1].GetLastSeenTime() == nil {
		t.Errorf("observed %v", seen)
	}
	_, err = i.cells.DropLogin(t.Context(), &tenantv1.DropLoginRequest{Owner: owner, Generation: 1})
	wantReason(t, "drop of an enabled login", err, "LOGIN_ENABLED")
	disable := &tenantv1.DisableLoginRequest{Owner: owner, Generation: 1}
	if _, err := i.cells.DisableLogin(t.Context(), disable); err != nil || tryLogin(t, first) == nil {
		t.Errorf("the disabled login works; %v", err)
	}
	run(t, old, "SELECT 1") // its session was not ended
	if _, err := i.cells.EnableLogin(t.Context(), &tenantv1.EnableLoginRequest{Owner: owner, Generation: 1}); err != nil || tryLogin(t, first) != nil {
		t.Errorf("the enabled login does not work; %v", err)
	}
	disable.EndSessions = true
	l, err := i.cells.DisableLogin(t.Context(), disable)
	if err != nil || l.GetLogin().GetSessions() != 0 || old.Ping(t.Context()) == nil {
		t.Errorf("the session lives: %v, %v", l, err)
	}
	for range 2 {
		if _, err := i.cells.DropLogin(t.Context(), &tenantv1.DropLoginRequest{Owner: owner, Generation: 1}); err != nil {
			t.Error(err)
		}
	}
	if n := scan[int](t, next, "SELECT count(*) FROM t"); n != 2 || len(observe(t, i, owner)) != 1 {
		t.Errorf("%d rows are left", n)
	}
	_, err = i.cells.DisableLogin(t.Context(), disable)
	wantReason(t, "dropped login", err, "LOGIN_NOT_FOUND")
}

func observe(t *testing.T, i *instance, owner string) []*tenantv1.Login {
	t.Helper()
	reply, err := i.cells.ObserveLogins(t.Context(), &tenantv1.ObserveLoginsRequest{Owner: owner})
	if err != nil {
		t.Fatal(err)
	}
	return reply.GetLogins()
}

func TestReaderSeesRowsBehindRowSecurity(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	i := w.start(t, tenant.Deps{})
	made := i.create(t, "read")
	customer := login(t, made.GetCredentials().GetDatabaseUrl())
	run(t, customer, "CREATE TABLE t (i int)", "INSERT INTO t VALUES (1)", "ALTER TABLE t ENABLE ROW LEVEL SECURITY")
	// Roles are of the whole test cluster: no other test uses this generation.
	_, err := i.cells.InstallLogin(t.Context(), &tenantv1.InstallLoginRequest{Owner: "servers/server1", Generation: 4711, ScramVerifier: verifier(t, "reader")})
	if err != nil {
		t.Fatal(err)
	}
	reader := login(t, as(t, made.GetCredentials().GetDatabaseUrl(), "naksha_backup_g4711", "reader"))
	if n := scan[int](t, reader, "SELECT count(*) FROM w_"+refOf(made.GetWorkspace())+".t"); n != 1 {
		t.Errorf("the reader sees %d rows", n)
	}
	if _, err := reader.Exec(t.Context(), "DELETE FROM w_"+refOf(made.GetWorkspace())+".t"); err == nil {
		t.Error("the reader may write")
	}
	// Whatever it reads is made by customers: a view would run their functions with its rights.
	run(t, customer, "CREATE VIEW v AS SELECT i FROM t", "CREATE TABLE open (i int)", "GRANT INSERT ON open TO PUBLIC")
	for _, statement := range []string{"SELECT FROM w_$ref.v", "INSERT INTO w_$ref.open VALUES (1)", "ALTER ROLE naksha_backup_g4711 PASSWORD 'x'"} {
		if _, err := reader.Exec(t.Context(), strings.ReplaceAll(statement, "$ref", refOf(made.GetWorkspace()))); err == nil {
			t.Errorf("the reader may %s", statement)
		}
	}
	gone := &tenantv1.DisableLoginRequest{Owner: "servers/server1", Generation: 4711, EndSessions: true}
	if _, err := i.cells.DisableLogin(t.Context(), gone); err != nil || reader.Ping(t.Context()) == nil {
		t.Errorf("the disabled reader's session lives: %v", err)
	}
	if _, err := i.cells.DropLogin(t.Context(), &tenantv1.DropLoginRequest{Owner: gone.GetOwner(), Generation: 4711}); err != nil {
		t.Error(err)
	}
}

// restore is one restore of a workspace whose table t holds 'old', with 'restored' staged.
type restore struct {
	*instance
	made     *tenantv1.CreateWorkspaceResponse
	id       string
	customer string // URL
}

func stage(t *testing.T, w *world) restore {
	t.Helper()
	r := restore{instance: w.start(t, tenant.Deps{}), id: uuid.Must(uuid.NewV7()).String()}
	r.made = r.create(t, "restored")
	r.customer = r.made.GetCredentials().GetDatabaseUrl()
	run(t, login(t, r.customer), "CREATE TABLE t (v text)", "INSERT INTO t VALUES ('old')")
	staged, err := r.restores.StageRestore(t.Context(), &tenantv1.StageRestoreRequest{
		Workspace: r.made.GetWorkspace().GetName(), RestoreId: r.id, ScramVerifier: verifier(t, "loader"),
	})
	if err != nil {
		t.Fatal(err)
	}
	run(t, login(t, as(t, r.customer, staged.GetRole(), "loader")), "CREATE TABLE t (v text)", "INSERT INTO t VALUES ('restored')")
	return r
}

func (r restore) swap(t *testing.T) string {
	t.Helper()
	reply, err := r.restores.SwapRestore(t.Context(), &tenantv1.SwapRestoreRequest{Workspace: r.made.GetWorkspace().GetName(), RestoreId: r.id})
	if err != nil {
		t.Fatal(err)
	}
	return reply.GetUndoSchema()
}

func (r restore) undo(t *testing.T) error {
	_, err := r.restores.UndoRestore(t.Context(), &tenantv1.UndoRestoreRequest{Workspace: r.made.GetWorkspace().GetName(), RestoreId: r.id})
	return err
}

func (r restore) clear(t *testing.T, undo bool) {
	t.Helper()
	_, err := r.restores.ClearRestore(t.Context(), &tenantv1.ClearRestoreRequest{Workspace: r.made.GetWorkspace().GetName(), RestoreId: r.id, DropUndo: undo})
	if err != nil {
		t.Fatal(err)
	}
}

func TestRestoredSchemaTakesTheLiveOnesPlaceAndBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	feed := w.env.Listen("naksha.feed.tenant.v1.schema_swapped.*")
	r := stage(t, w)
	customer := login(t, r.customer)
	run(t, customer, "SELECT v FROM t")
	undo := r.swap(t)
	if again := r.swap(t); again != undo {
		t.Errorf("the repeat names %s, the first %s", again, undo)
	}
	value := func() string { return scan[string](t, customer, "SELECT v FROM t") }
	if got := value(); got != "restored" {
		t.Errorf("an open session reads %q", got)
	}
	if _, err := customer.Exec(t.Context(), "SELECT v FROM "+undo+".t"); err == nil {
		t.Error("the customer sees the kept schema")
	}
	run(t, customer, "CREATE TABLE after (i int)")
	var fact tenantv1.SchemaSwapped
	if err := proto.Unmarshal((<-feed).Data, &fact); err != nil || fact.GetUndoSchema() != undo || fact.GetRestoreId() != r.id {
		t.Errorf("fact %v, %v", &fact, err)
	}
	r.clear(t, false)
	for range 2 {
		if err := r.undo(t); err != nil {
			t.Error(err)
		}
	}
	if got := value(); got != "old" {
		t.Errorf("after undo the session reads %q", got)
	}
	for range 2 {
		r.clear(t, true)
	}
	left := scan[int](t, w.superuser(t), "SELECT count(*) FROM pg_namespace WHERE nspname LIKE $1 || '__%'", "w_"+refOf(r.made.GetWorkspace()))
	roles := scan[int](t, w.superuser(t), "SELECT count(*) FROM pg_roles WHERE rolname LIKE $1 || '__%'", "w_"+refOf(r.made.GetWorkspace())+"__r")
	if left != 0 || roles != 0 || value() != "old" {
		t.Errorf("%d schemas and %d roles are left", left, roles)
	}
	wantReason(t, "undo of nothing", r.undo(t), "RESTORE_NOT_KEPT")
	if len(feed) != 0 {
		t.Error("the swap was told twice")
	}
}

func TestSwapNeverSplitsAnOpenTransaction(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := stage(t, w)
	neighbour := login(t, r.create(t, "neighbour").GetCredentials().GetDatabaseUrl())
	writer, maker, idle := login(t, r.customer), login(t, r.customer), login(t, r.customer)
	run(t, writer, "BEGIN", "INSERT INTO t VALUES ('lost')")
	run(t, maker, "BEGIN", "CREATE TABLE made (i int)")
	run(t, neighbour, "BEGIN", "CREATE TABLE n (i int)")
	undo := r.swap(t)
	if writer.Ping(t.Context()) == nil || maker.Ping(t.Context()) == nil {
		t.Error("a session that kept a lock lives")
	}
	admin := w.superuser(t)
	if kept := scan[string](t, admin, "SELECT string_agg(v, ',') FROM "+undo+".t"); kept != "old" {
		t.Errorf("the kept table holds %q", kept)
	}
	run(t, neighbour, "COMMIT")
	servicetest.Eventually(t, func() error { // a session that kept no lock may have been ended as well: it comes again
		if idle.Ping(t.Context()) != nil {
			idle = login(t, r.customer)
		}
		if got := scan[string](t, idle, "SELECT string_agg(v, ',') FROM t"); got != "restored" {
			return errors.New("reads " + got)
		}
		return nil
	})
}

func TestSwapWhoseReplyWasLostIsToldOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	feed := w.env.Listen("naksha.feed.tenant.v1.schema_swapped.*")
	r := stage(t, w)
	direct := cellstore.New(cellstore.Config{Pool: pg.New(pg.Config{URL: w.cellURL}), LockWait: time.Second, Deadline: time.Minute})
	servicetest.Start(t, direct)
	// The service died after the cell's transaction and before its own.
	if err := direct.SwapSchema(t.Context(), cell.Restore{Ref: refOf(r.made.GetWorkspace()), ID: r.id}); err != nil {
		t.Fatal(err)
	}
	r.swap(t)
	r.swap(t)
	if got := scan[string](t, login(t, r.customer), "SELECT v FROM t"); got != "restored" {
		t.Errorf("the customer reads %q", got)
	}
	<-feed
	if err := r.undo(t); err != nil {
		t.Fatal(err)
	}
	if len(feed) != 0 {
		t.Error("the swap was told twice")
	}
}
