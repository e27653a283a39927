// Package store keeps what the backup service knows in Postgres: workspaces, snapshots, restores, the reader's credential.
// It is the only package here that speaks SQL to our own database; rules live in the nouns and verbs.
package store

import (
	"context"
	"embed"
	"fmt"
	"io/fs"

	"github.com/naksha-cloud/naksha/pkg/pg"
	"github.com/naksha-cloud/naksha/services/backup/internal/work"
)

//go:embed migration/*.sql
var migrations embed.FS

//go:embed query/*.sql
var queries embed.FS

// Migrations are the files of this schema.
func Migrations() (fs.FS, error) { return fs.Sub(migrations, "migration") }

// query returns the text of query/<name>.sql; the names are this package's own.
func query(name string) string {
	text, err := queries.ReadFile("query/" + name + ".sql")
	if err != nil {
		panic(err)
	}
	return string(text)
}

// Emit records a fact in tx.
type Emit func(ctx context.Context, tx *pg.Tx, fact any) error

// Store is the service's tables.
type Store struct {
	pool *pg.Pool
	emit Emit
}

// New returns a Store on a pool that may start later.
func New(pool *pg.Pool, emit Emit) *Store { return &Store{pool: pool, emit: emit} }

// mine runs one statement that must change exactly the job's own row: work.ErrLost otherwise.
func mine(ctx context.Context, tx *pg.Tx, name string, args ...any) error {
	tag, err := tx.Exec(ctx, query(name), args...)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if tag.RowsAffected() != 1 {
		return work.ErrLost
	}
	return nil
}

// change is mine in a transaction of its own.
func (s *Store) change(ctx context.Context, name string, args ...any) error {
	return s.pool.InTx(ctx, func(ctx context.Context, tx *pg.Tx) error { return mine(ctx, tx, name, args...) })
}
