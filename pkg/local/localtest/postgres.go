package localtest

import (
	"context"
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/naksha-cloud/naksha/pkg/local"
)

// cluster is the Postgres server that all tests of a package share.
type cluster struct {
	allowed  bool // Run is there to close it
	settings map[string]string

	mu     sync.Mutex
	server *local.Postgres
	dir    string
	err    error
}

// shared is the one package-level variable here: tests of a package have nothing else in common than their process.
var shared = cluster{settings: map[string]string{
	// A test cluster dies with its tests. Tests of durability start a server of their own.
	"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off",
}}

// Postgres returns the package's shared cluster; the first call starts it. TestMain must return Run.
func Postgres(t testing.TB) *local.Postgres {
	t.Helper()
	requireRun(t)
	server, err := shared.get()
	if err != nil {
		t.Fatal(err)
	}
	return server
}

// Database returns the superuser's URL of a fresh database in the shared cluster; it is dropped at the end of the
// test, whoever is still connected.
func Database(t testing.TB) (adminURL string) {
	t.Helper()
	server := Postgres(t)
	name := "test_" + strings.ToLower(rand.Text()[:16])
	execute(t, server, "CREATE DATABASE "+name)
	t.Cleanup(func() { execute(t, server, "DROP DATABASE "+name+" WITH (FORCE)") })
	return server.SuperuserURL(name)
}

// execute runs one statement on a connection of its own.
func execute(t testing.TB, server *local.Postgres, statement string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), Patience)
	defer cancel()
	conn, err := pgx.Connect(ctx, server.SuperuserURL("postgres"))
	if err != nil {
		t.Errorf("connect to the shared cluster: %v", err)
		return
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, statement); err != nil {
		t.Errorf("%s: %v", statement, err)
	}
}

// get starts the server once; a failed start stays failed.
func (c *cluster) get() (*local.Postgres, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.server != nil || c.err != nil {
		return c.server, c.err
	}
	if c.dir, c.err = tempDir(); c.err != nil {
		return nil, c.err
	}
	ctx, cancel := context.WithTimeout(context.Background(), Patience)
	defer cancel()
	c.server, c.err = local.StartPostgres(ctx, local.PostgresConfig{
		Dir: filepath.Join(c.dir, "pg"), SuperuserPassword: rand.Text(), InitCache: InitCache(), Settings: c.settings,
	})
	return c.server, c.err
}

// close stops the server, if there is one, and removes its folder.
func (c *cluster) close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.dir == "" {
		return nil
	}
	var err error
	if c.server != nil {
		ctx, cancel := context.WithTimeout(context.Background(), Patience)
		defer cancel()
		err = c.server.Stop(ctx)
	}
	return errors.Join(err, os.RemoveAll(c.dir))
}
