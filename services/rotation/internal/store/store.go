// Package store keeps credentials, generations and rotations in Postgres. It is the only package that speaks SQL, and the
// only one that holds sealed secrets: it seals what it is given and opens what it is asked for. It decides nothing but who
// may still write: a lease's epoch fences off earlier ones.
package store

import (
	"context"
	"embed"
	"io/fs"
	"time"

	"github.com/naksha-cloud/naksha/pkg/pg"
	"github.com/naksha-cloud/naksha/pkg/seal"
)

//go:embed migration/*.sql
var migrations embed.FS

//go:embed query/*.sql
var queries embed.FS

// query returns the text of query/<name>.sql; the names are this package's own.
func query(name string) string {
	text, err := queries.ReadFile("query/" + name + ".sql")
	if err != nil {
		panic(err)
	}
	return string(text)
}

// Migrations are the schema's versions.
func Migrations() fs.FS {
	files, err := fs.Sub(migrations, "migration")
	if err != nil {
		panic(err) // the folder is embedded
	}
	return files
}

// Store is safe for concurrent use.
type Store struct {
	pool *pg.Pool
	box  *seal.Box
	emit func(ctx context.Context, tx *pg.Tx, fact any) error
}

// New returns a Store. emit puts a fact of package rotation into the outbox.
func New(pool *pg.Pool, box *seal.Box, emit func(ctx context.Context, tx *pg.Tx, fact any) error) *Store {
	return &Store{pool: pool, box: box, emit: emit}
}

// InTx runs f in one transaction.
func (s *Store) InTx(ctx context.Context, f func(ctx context.Context, tx *pg.Tx) error) error {
	return s.pool.InTx(ctx, f)
}

// optional makes the zero time NULL.
func optional(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// known makes NULL the zero time.
func known(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.UTC()
}
