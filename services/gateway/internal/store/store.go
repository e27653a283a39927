// Package store is what the gateway keeps: which keys were revoked lately, so that every replica forgets them, and when
// a spike was last announced. It is the only package that speaks SQL.
package store

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"time"

	"github.com/naksha-cloud/naksha/pkg/pg"
	"github.com/naksha-cloud/naksha/services/gateway/internal/key"
	"github.com/naksha-cloud/naksha/services/gateway/internal/spike"
)

//go:embed migration/*.sql
var migrations embed.FS

//go:embed query/*.sql
var queries embed.FS

// Migrations are the schema's steps.
func Migrations() fs.FS {
	files, err := fs.Sub(migrations, "migration")
	if err != nil {
		panic(err) // the folder is in the binary
	}
	return files
}

func query(name string) string {
	text, err := queries.ReadFile("query/" + name + ".sql")
	if err != nil {
		panic(err) // the file is in the binary
	}
	return string(text)
}

// Store reads and writes the gateway's schema.
type Store struct {
	pool *pg.Pool
	emit func(ctx context.Context, tx *pg.Tx, fact any) error
}

// New makes a Store whose facts go to emit, in the transaction of the change.
func New(pool *pg.Pool, emit func(ctx context.Context, tx *pg.Tx, fact any) error) *Store {
	return &Store{pool: pool, emit: emit}
}

// NoteRevocation keeps a revocation for the other replicas, in the transaction that heard of it.
func (s *Store) NoteRevocation(ctx context.Context, tx *pg.Tx, r key.Revocation) error {
	if _, err := tx.Exec(ctx, query("note_revocation"), r.KID, r.Workspace, tx.Now); err != nil {
		return fmt.Errorf("note revocation: %w", err)
	}
	return nil
}

// Revocations are those heard of after since, by arrival. Transactions commit out of order, so a caller looks back a
// little and skips what it has seen.
func (s *Store) Revocations(ctx context.Context, since time.Time) ([]key.Revocation, error) {
	rows, err := s.pool.Query(ctx, query("revocations"), since)
	if err != nil {
		return nil, fmt.Errorf("list revocations: %w", err)
	}
	defer rows.Close()
	var found []key.Revocation
	for rows.Next() {
		var r key.Revocation
		if err := rows.Scan(&r.Seq, &r.KID, &r.Workspace, &r.At); err != nil {
			return nil, fmt.Errorf("read revocation: %w", err)
		}
		found = append(found, r)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("list revocations: %w", err)
	}
	return found, nil
}

// ForgetRevocations drops those heard of before a moment: every replica has long acted on them.
func (s *Store) ForgetRevocations(ctx context.Context, before time.Time) error {
	if _, err := s.pool.Exec(ctx, query("forget_revocations"), before); err != nil {
		return fmt.Errorf("forget revocations: %w", err)
	}
	return nil
}

// AnnounceSpike emits the spike unless one was announced within quiet, by whichever replica.
func (s *Store) AnnounceSpike(ctx context.Context, c spike.Count, quiet time.Duration) (announced bool, err error) {
	err = s.pool.InTx(ctx, func(ctx context.Context, tx *pg.Tx) error {
		tag, err := tx.Exec(ctx, query("announce_spike"), tx.Now, tx.Now.Add(-quiet))
		if err != nil {
			return fmt.Errorf("note announcement: %w", err)
		}
		if announced = tag.RowsAffected() == 1; !announced {
			return nil
		}
		return s.emit(ctx, tx, c)
	})
	return announced && err == nil, err
}
