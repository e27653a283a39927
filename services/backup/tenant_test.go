package backup_test

import (
	"context"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/naksha-cloud/naksha/pkg/fault"
	"github.com/naksha-cloud/naksha/pkg/outbox"
	"github.com/naksha-cloud/naksha/pkg/pg"
	"github.com/naksha-cloud/naksha/pkg/service"
	"github.com/naksha-cloud/naksha/pkg/service/servicetest"
	tenantv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/tenant/v1"
)

const server = "servers/server1"

// tenant is the part of the tenant service that backup asks, on the real cell.
type tenant struct {
	tenantv1.UnimplementedCellServiceServer
	core    *service.Core
	cellURL string

	mu     sync.Mutex
	known  map[string]bool
	before func(method string) error // asked before each order; an error is the answer
	after  func(method string) error // asked after each order, likewise
	killed chan struct{}             // closed when killAt has killed
	calls  []string
	staged []*strings.Replacer // names of all restores

	acting sync.Mutex // one order at a time: grants on one database meet in one row of the catalog
}

func startTenant(t testing.TB, w *world) *tenant {
	t.Helper()
	core, err := service.New("tenant", w.env.Config("tenant"), service.Deps{})
	if err != nil {
		t.Fatal(err)
	}
	f := &tenant{core: core, cellURL: w.cellURL, known: map[string]bool{}}
	core.Assemble(service.Parts{Register: func(s grpc.ServiceRegistrar) { tenantv1.RegisterCellServiceServer(s, f) }})
	servicetest.Start(t, core)
	return f
}

// intercept makes f decide about each order.
func (f *tenant) intercept(before func(method string) error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.before, f.after = before, nil
}

// carriedOut runs the hook that comes after an order.
func (f *tenant) carriedOut(method string, err error) error {
	f.mu.Lock()
	after := f.after
	f.mu.Unlock()
	if err != nil || after == nil {
		return err
	}
	return after(method)
}

func (f *tenant) order(method string) error {
	f.mu.Lock()
	before := f.before
	f.calls = append(f.calls, method)
	f.mu.Unlock()
	if before == nil {
		return nil
	}
	return before(method)
}

// workspace makes a workspace as the tenant service does, tells of it, and returns its ref and a session of its customer.
func (w *world) workspace(t testing.TB) (ref string, customer *pgx.Conn) {
	t.Helper()
	ref = letters()
	err := w.tenant.exec(t.Context(), strings.NewReplacer("$w", "w_"+ref, "$db", w.cell.Config().Database), `
		CREATE ROLE $w NOLOGIN;
		CREATE SCHEMA $w; GRANT USAGE, CREATE ON SCHEMA $w TO $w;
		CREATE ROLE $w_g1 LOGIN NOINHERIT PASSWORD 'secret'; GRANT $w TO $w_g1;
		ALTER ROLE $w_g1 SET role = '$w'; ALTER ROLE $w_g1 SET search_path = $w, naksha_lock, pg_catalog;
		GRANT CONNECT ON DATABASE $db TO $w_g1`)
	if err != nil {
		t.Fatal(err)
	}
	w.roles = append(w.roles, "w_"+ref+"_g1", "w_"+ref)
	run(t, w.cell, "CREATE SCHEMA IF NOT EXISTS naksha_lock; GRANT USAGE ON SCHEMA naksha_lock TO PUBLIC",
		"CREATE OR REPLACE FUNCTION naksha_lock.own(key text) RETURNS bigint LANGUAGE sql AS 'SELECT 1::bigint'",
		`CREATE OR REPLACE FUNCTION naksha_lock.pg_advisory_lock(key bigint) RETURNS void LANGUAGE sql SECURITY DEFINER
			RETURN pg_catalog.pg_advisory_lock(naksha_lock.own(key::text))`)
	for _, r := range w.regions() {
		store := bucket(t, r)
		if err := store.MakeBucket(t.Context(), "w-"+ref); err != nil {
			t.Fatal(err)
		}
		if err := store.EnableVersioning(t.Context(), "w-"+ref); err != nil {
			t.Fatal(err)
		}
	}
	w.tenant.tell(t, ref, &tenantv1.WorkspaceCreated{
		Workspace: "workspaces/" + ref, Cell: "cells/cell1", Server: server, Bucket: "w-" + ref, Schema: "w_" + ref,
		LoginGeneration: 1, CreateTime: timestamppb.Now(),
	})
	return ref, login(t, asUser(t, w.cellURL, "w_"+ref+"_g1", "secret"))
}

// sweep drops what a test left in the shared cluster, when the service has stopped.
func (w *world) sweep(t testing.TB) {
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, w.cellURL)
	if err != nil {
		t.Error(err)
		return
	}
	defer conn.Close(ctx)
	statements := w.tenant.leftovers()
	for _, role := range w.roles {
		statements = append(statements, "DROP OWNED BY "+role+" CASCADE", "DROP ROLE "+role)
	}
	for _, s := range statements {
		if _, err := conn.Exec(ctx, s); err != nil {
			t.Errorf("%s: %v", s, err)
		}
	}
}

// leftovers are the statements that drop what restores left which nobody cleared.
func (f *tenant) leftovers() (statements []string) {
	for _, n := range f.staged {
		statements = append(statements, n.Replace("DROP DATABASE IF EXISTS $scratch WITH (FORCE)"),
			n.Replace(`DO $do$ BEGIN IF EXISTS (SELECT FROM pg_roles WHERE rolname = '$stage') THEN
				DROP OWNED BY $stage; DROP ROLE $stage; END IF; END $do$`))
	}
	return statements
}

// tell emits a fact of a workspace.
func (f *tenant) tell(t testing.TB, ref string, m proto.Message) {
	t.Helper()
	f.mu.Lock()
	f.known[ref] = true
	f.mu.Unlock()
	err := f.core.Pool.InTx(t.Context(), func(ctx context.Context, tx *pg.Tx) error {
		return f.core.Outbox.Emit(ctx, tx, outbox.Fact{Aggregate: "workspaces/" + ref, Workspace: ref, Message: m})
	})
	if err != nil {
		t.Fatal(err)
	}
}

func (f *tenant) cell() *tenantv1.Cell {
	u, err := url.Parse(f.cellURL)
	if err != nil {
		panic(err)
	}
	port, _ := strconv.Atoi(u.Port())
	return &tenantv1.Cell{
		Name: "cells/cell1", Server: server, Host: u.Hostname(), Port: int32(port), Database: strings.TrimPrefix(u.Path, "/"),
		TlsParameters: "sslmode=disable",
	}
}

// GetCell implements tenantv1.CellServiceServer.
func (f *tenant) GetCell(_ context.Context, r *tenantv1.GetCellRequest) (*tenantv1.GetCellResponse, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if ref, ok := strings.CutPrefix(r.GetName(), "workspaces/"); ok && !f.known[ref] {
		return nil, fault.NotFound("WORKSPACE_NOT_FOUND", "There is no such workspace.")
	}
	return &tenantv1.GetCellResponse{Cell: f.cell()}, nil
}

// names are what a restore has in the cell.
func names(workspace, id string) *strings.Replacer {
	ref := strings.TrimPrefix(workspace, "workspaces/")
	tail := id[len(id)-8:]
	return strings.NewReplacer("$live", "w_"+ref, "$stage", "w_"+ref+"__r"+tail, "$undo", "w_"+ref+"__u"+tail, "$scratch", "r_"+tail)
}

func (f *tenant) exec(ctx context.Context, n *strings.Replacer, statements ...string) error {
	f.acting.Lock()
	defer f.acting.Unlock()
	conn, err := pgx.Connect(ctx, f.cellURL)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	for _, s := range statements {
		if _, err := conn.Exec(ctx, n.Replace(s)); err != nil {
			return fmt.Errorf("%s: %w", n.Replace(s), err)
		}
	}
	return nil
}

func (f *tenant) exists(ctx context.Context, schema string) bool {
	conn, err := pgx.Connect(ctx, f.cellURL)
	if err != nil {
		return false
	}
	defer conn.Close(context.WithoutCancel(ctx))
	var found bool
	err = conn.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = $1)", schema).Scan(&found)
	return err == nil && found
}

// StageRestore implements tenantv1.CellServiceServer.
func (f *tenant) StageRestore(ctx context.Context, r *tenantv1.StageRestoreRequest) (*tenantv1.StageRestoreResponse, error) {
	if err := f.order("StageRestore"); err != nil {
		return nil, err
	}
	n := names(r.GetWorkspace(), r.GetRestoreId())
	reply := &tenantv1.StageRestoreResponse{
		Cell: f.cell(), Schema: n.Replace("$stage"), Role: n.Replace("$stage"), ScratchDatabase: n.Replace("$scratch"),
	}
	f.mu.Lock()
	f.staged = append(f.staged, n)
	f.mu.Unlock()
	if f.exists(ctx, reply.GetSchema()) {
		return reply, f.exec(ctx, n, "ALTER ROLE $stage PASSWORD '"+r.GetScramVerifier()+"'")
	}
	whole := context.WithoutCancel(ctx) // as a transaction of the tenant service: all or nothing, whenever its caller dies
	return reply, f.carriedOut("StageRestore", f.exec(whole, n,
		"CREATE SCHEMA $stage; GRANT USAGE, CREATE ON SCHEMA $stage TO $live",
		"CREATE ROLE $stage LOGIN NOINHERIT PASSWORD '"+r.GetScramVerifier()+"'; GRANT $live TO $stage",
		"ALTER ROLE $stage SET role = '$live'; ALTER ROLE $stage SET search_path = $stage, naksha_lock, pg_catalog",
		"GRANT CONNECT ON DATABASE "+f.cell().GetDatabase()+" TO $stage",
		"CREATE DATABASE $scratch OWNER $stage"))
}

// SwapRestore implements tenantv1.CellServiceServer: it locks every table, then renames.
func (f *tenant) SwapRestore(ctx context.Context, r *tenantv1.SwapRestoreRequest) (*tenantv1.SwapRestoreResponse, error) {
	if err := f.order("SwapRestore"); err != nil {
		return nil, err
	}
	n := names(r.GetWorkspace(), r.GetRestoreId())
	reply := &tenantv1.SwapRestoreResponse{UndoSchema: n.Replace("$undo")}
	if f.exists(ctx, reply.GetUndoSchema()) {
		return reply, nil
	}
	return reply, f.carriedOut("SwapRestore", f.exec(ctx, n, lockAndRename("$live", "$undo", "$stage")))
}

// lockAndRename moves live aside and next into its place, in one transaction.
func lockAndRename(live, aside, next string) string {
	return `DO $do$ DECLARE t text; BEGIN
		FOR t IN SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE schemaname IN ('` + live + `', '` + next + `') ORDER BY 1 LOOP
			EXECUTE 'LOCK TABLE ' || t || ' IN ACCESS EXCLUSIVE MODE';
		END LOOP;
		ALTER SCHEMA ` + live + ` RENAME TO ` + aside + `; ALTER SCHEMA ` + next + ` RENAME TO ` + live + `;
	END $do$`
}

// UndoRestore implements tenantv1.CellServiceServer.
func (f *tenant) UndoRestore(ctx context.Context, r *tenantv1.UndoRestoreRequest) (*tenantv1.UndoRestoreResponse, error) {
	if err := f.order("UndoRestore"); err != nil {
		return nil, err
	}
	n := names(r.GetWorkspace(), r.GetRestoreId())
	if !f.exists(ctx, n.Replace("$undo")) {
		return &tenantv1.UndoRestoreResponse{}, nil
	}
	return &tenantv1.UndoRestoreResponse{}, f.exec(ctx, n, lockAndRename("$live", "$stage", "$undo"))
}

// ClearRestore implements tenantv1.CellServiceServer.
func (f *tenant) ClearRestore(ctx context.Context, r *tenantv1.ClearRestoreRequest) (*tenantv1.ClearRestoreResponse, error) {
	if err := f.order("ClearRestore"); err != nil {
		return nil, err
	}
	n := names(r.GetWorkspace(), r.GetRestoreId())
	statements := []string{
		"DROP SCHEMA IF EXISTS $stage CASCADE", "DROP DATABASE IF EXISTS $scratch WITH (FORCE)",
		`DO $do$ BEGIN IF EXISTS (SELECT FROM pg_roles WHERE rolname = '$stage') THEN DROP OWNED BY $stage; END IF; END $do$`,
		"DROP ROLE IF EXISTS $stage",
	}
	if r.GetDropUndo() {
		statements = append(statements, "DROP SCHEMA IF EXISTS $undo CASCADE")
	}
	return &tenantv1.ClearRestoreResponse{}, f.carriedOut("ClearRestore", f.exec(ctx, n, statements...))
}

func (w *world) forget(t testing.TB, ref string) {
	t.Helper()
	w.tenant.tell(t, ref, &tenantv1.WorkspaceDeleted{Workspace: "workspaces/" + ref, DeleteTime: timestamppb.New(time.Now())})
}
