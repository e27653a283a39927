// Package celltest is a cell for tests: a real Postgres database with workspaces in it, and tenant's CellService on it as
// this service calls it. Services may not import each other, so it carries the orders out itself, by the same rules.
package celltest

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/naksha-cloud/naksha/pkg/local/localtest"
	"github.com/naksha-cloud/naksha/pkg/scram"
	tenantv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/tenant/v1"
	"github.com/naksha-cloud/naksha/services/rotation/internal/generation"
)

// Cell is one database that holds workspaces, and the CellService on it.
type Cell struct {
	tenantv1.UnimplementedCellServiceServer
	Server string // `servers/{id}`

	pool   *pgxpool.Pool
	url    *url.URL // as superuser
	prefix string   // of backup's roles: roles belong to the cluster, which tests share

	mu      sync.Mutex
	made    []string // roles w_{ref} of its workspaces
	failure error    // of every call; nil = it works
	calls   int

	granting sync.Mutex
}

// New makes a cell; it is gone at the end of the test. TestMain must return localtest.Run.
func New(t testing.TB) *Cell {
	t.Helper()
	c := &Cell{}
	t.Cleanup(func() { c.dropRoles(t) }) // runs after the database is gone
	admin := localtest.Database(t)
	u, err := url.Parse(admin)
	if err != nil {
		t.Fatal(err)
	}
	c.url, c.prefix = u, "nkb_"+strings.TrimPrefix(u.Path, "/")
	c.Server = "servers/" + strings.TrimPrefix(strings.ReplaceAll(u.Path, "_", "-"), "/")
	if c.pool, err = pgxpool.New(t.Context(), admin); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.pool.Close)
	return c
}

// Workspace is a customer's schema with its first login.
type Workspace struct {
	Name     string // `workspaces/{ref}`
	Ref      string
	Password generation.Password // of generation 1, as tenant minted it
}

// AddWorkspace makes one as tenant does (DESIGN §5).
func (c *Cell) AddWorkspace(t testing.TB) Workspace {
	t.Helper()
	ref := strings.Map(func(r rune) rune {
		if r >= '2' && r <= '7' {
			return r - '2' + 'a'
		}
		return r
	}, strings.ToLower(rand.Text()[:20]))
	w := Workspace{Name: "workspaces/" + ref, Ref: ref, Password: generation.Password(scram.Password())}
	c.must(t, fmt.Sprintf("CREATE SCHEMA w_%[1]s; CREATE ROLE w_%[1]s NOLOGIN; GRANT USAGE, CREATE ON SCHEMA w_%[1]s TO w_%[1]s", ref))
	c.mu.Lock()
	c.made = append(c.made, "w_"+ref)
	c.mu.Unlock()
	verifier, err := scram.Verifier(w.Password.Reveal())
	if err != nil {
		t.Fatal(err)
	}
	if err := c.install(t.Context(), w.Name, "w_"+ref+"_g1", verifier); err != nil {
		t.Fatal(err)
	}
	return w
}

// groups are the NOLOGIN roles of the cell's workspaces.
func (c *Cell) groups() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.made)
}

// Fail makes every call fail with err from now on; nil = they work.
func (c *Cell) Fail(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.failure = err
}

// Calls is how many orders were asked for.
func (c *Cell) Calls() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.calls
}

func (c *Cell) called() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.calls++
	return c.failure
}

// Role is the login role of a generation of owner.
func (c *Cell) Role(owner string, number int32) string {
	return c.group(owner) + "_g" + strconv.Itoa(int(number))
}

// group is what the login roles' names begin with.
func (c *Cell) group(owner string) string {
	if ref, ok := strings.CutPrefix(owner, "workspaces/"); ok {
		return "w_" + ref
	}
	return c.prefix
}

// Login opens a session, or says why it may not. The caller closes it.
func (c *Cell) Login(ctx context.Context, role string, password generation.Password) (*pgx.Conn, error) {
	u := *c.url
	u.User = url.UserPassword(role, password.Reveal())
	ctx, cancel := context.WithTimeout(ctx, localtest.Patience)
	defer cancel()
	return pgx.Connect(ctx, u.String())
}

// Works says whether a password opens a role right now.
func (c *Cell) Works(t testing.TB, role string, password generation.Password) bool {
	t.Helper()
	conn, err := c.Login(t.Context(), role, password)
	if err != nil {
		return false
	}
	defer conn.Close(context.WithoutCancel(t.Context()))
	return conn.Ping(t.Context()) == nil
}

// must runs statements as superuser.
func (c *Cell) must(t testing.TB, sql string) {
	t.Helper()
	if _, err := c.pool.Exec(t.Context(), sql); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

// Run runs statements as superuser, e.g. to meddle.
func (c *Cell) Run(t testing.TB, sql string) {
	t.Helper()
	c.must(t, sql)
}

// dropRoles removes every role that this cell's database name or workspaces left in the cluster.
func (c *Cell) dropRoles(t testing.TB) {
	ctx, cancel := context.WithTimeout(context.Background(), localtest.Patience)
	defer cancel()
	u := *c.url
	u.Path = "/postgres"
	conn, err := pgx.Connect(ctx, u.String())
	if err != nil {
		t.Error(err)
		return
	}
	defer conn.Close(ctx)
	for _, role := range c.leftovers(ctx, t, conn) {
		if _, err := conn.Exec(ctx, "DROP ROLE IF EXISTS "+pgx.Identifier{role}.Sanitize()); err != nil {
			t.Errorf("drop role %s: %v", role, err)
		}
	}
}
