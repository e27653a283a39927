// Package store keeps alerts, incidents, timers, silences and deliveries in Postgres. It is the only package of the
// service that speaks SQL, and it decides nothing: time comes with the transaction, rules from the nouns.
package store

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"time"

	"github.com/google/uuid"

	"github.com/naksha-cloud/naksha/pkg/pg"
	"github.com/naksha-cloud/naksha/services/alerting/internal/delivery"
)

//go:embed query/*.sql
var queries embed.FS

//go:embed migration/*.sql
var migrations embed.FS

// query returns the text of query/<name>.sql; the names are this package's own.
func query(name string) string {
	text, err := queries.ReadFile("query/" + name + ".sql")
	if err != nil {
		panic(err)
	}
	return string(text)
}

// Migrations are the schema's, forward only.
func Migrations() fs.FS {
	files, err := fs.Sub(migrations, "migration")
	if err != nil {
		panic(err) // the folder is compiled in
	}
	return files
}

// Store is the service's tables.
type Store struct {
	pool *pg.Pool
	life time.Duration // how long a delivery is tried
}

// New returns a Store on pool, whose deliveries are tried for life; 0 = the default.
func New(pool *pg.Pool, life time.Duration) *Store {
	if life == 0 {
		life = delivery.Life
	}
	return &Store{pool: pool, life: life}
}

// InTx runs f in one transaction with one now.
func (s *Store) InTx(ctx context.Context, f func(ctx context.Context, tx *pg.Tx) error) error {
	return s.pool.InTx(ctx, f)
}

// Now is the time that a transaction begun now would have.
func (s *Store) Now() time.Time { return s.pool.Now() }

// newID is a UUIDv7.
func newID() (string, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return "", fmt.Errorf("make id: %w", err)
	}
	return id.String(), nil
}

// null is t for a column that may be empty.
func null(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// value is a column that may be empty, in UTC.
func value(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.UTC()
}

// nullText is s for a column that may be empty.
func nullText(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
