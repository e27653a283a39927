// Package store is the tenant service's own record in the platform database: slots, workspaces, keys, repeats of
// requests, and the journal of acts on cells. It is the only package that speaks SQL to that database; each method is
// one transaction, and facts are recorded in it. What it does in a cell is in cellstore.
package store

import (
	"context"
	"embed"
	"io/fs"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/naksha-cloud/naksha/pkg/pg"
)

//go:embed query/*.sql
var queries embed.FS

//go:embed migration/*.sql
var migrations embed.FS

// Migrations are the files that make the schema.
func Migrations() fs.FS {
	files, err := fs.Sub(migrations, "migration")
	if err != nil {
		panic(err) // the folder is part of the program
	}
	return files
}

// Emit records a fact in a transaction: Created, Removed and SchemaSwapped of workspace, Revoked of key.
type Emit func(ctx context.Context, tx *pg.Tx, facts ...any) error

// Store is the record. Its methods may be called from any goroutine.
type Store struct {
	pool *pg.Pool
	emit Emit
	text map[string]string // statements by name
}

// New returns a Store on a pool whose search_path is the service's schema.
func New(pool *pg.Pool, emit Emit) *Store {
	return &Store{pool: pool, emit: emit, text: statements(queries)}
}

func statements(files embed.FS) map[string]string {
	text := map[string]string{}
	entries, err := files.ReadDir("query")
	if err != nil {
		panic(err) // the folder is part of the program
	}
	for _, e := range entries {
		content, err := files.ReadFile("query/" + e.Name())
		if err != nil {
			panic(err)
		}
		text[e.Name()[:len(e.Name())-len(".sql")]] = string(content)
	}
	return text
}

// query returns the text of query/<name>.sql.
func (s *Store) query(name string) string {
	text, ok := s.text[name]
	if !ok {
		panic("store: no query " + name)
	}
	return text
}

// pipeline is a batch of named statements: one round trip.
type pipeline struct {
	store *Store
	batch pgx.Batch
}

func (s *Store) pipeline() *pipeline { return &pipeline{store: s} }

// add queues a statement whose rows nobody reads.
func (p *pipeline) add(name string, args ...any) { p.batch.Queue(p.store.query(name), args...) }

// run sends the batch and returns the first error.
func (p *pipeline) run(ctx context.Context, tx *pg.Tx) error {
	if p.batch.Len() == 0 {
		return nil
	}
	return tx.SendBatch(ctx, &p.batch).Close()
}

// Now is the clock of the record's transactions.
func (s *Store) Now() time.Time { return s.pool.Now() }
