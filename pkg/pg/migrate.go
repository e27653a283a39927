package pg

import (
	"context"
	"fmt"
	"hash/fnv"
	"io/fs"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/tern/v2/migrate"

	"github.com/naksha-cloud/naksha/pkg/fault"
)

// Migrate brings the schema to the newest migration in files (`0001_name.sql`, forward only), one replica at a time.
// The versions are counted in versionTable, so that two sets of migrations can share a schema.
//
// A schema that is newer than files is accepted, so that an old replica can restart during a roll-out, unless a newer
// migration raised the floor: `UPDATE <versionTable>_floor SET version = N` refuses binaries that know less than N.
func Migrate(ctx context.Context, p *Pool, files fs.FS, versionTable string) error {
	return p.WithLock(ctx, lockKey("migrate "+versionTable), func(ctx context.Context) error {
		inner, err := p.started()
		if err != nil {
			return err
		}
		conn, err := inner.Acquire(ctx)
		if err != nil {
			return fmt.Errorf("acquire connection: %w", err)
		}
		defer conn.Release()
		return migrateOn(ctx, conn, files, versionTable)
	})
}

func migrateOn(ctx context.Context, conn *pgxpool.Conn, files fs.FS, versionTable string) error {
	m, err := migrate.NewMigrator(ctx, conn.Conn(), versionTable)
	if err != nil {
		return fmt.Errorf("prepare migrations: %w", err)
	}
	if err := m.LoadMigrations(files); err != nil {
		return fmt.Errorf("load migrations: %w", err)
	}
	floor, err := readFloor(ctx, conn, versionTable)
	if err != nil {
		return err
	}
	current, err := m.GetCurrentVersion(ctx)
	if err != nil {
		return fmt.Errorf("read schema version: %w", err)
	}
	known := int32(len(m.Migrations))
	switch {
	case floor > known:
		return fault.Precondition("SCHEMA_NEWER", "The database's schema (version %d) is too new for this program (version %d).",
			current, known).WithRemedy("Install the release that wrote it, or a newer one.")
	case current >= known:
		return nil
	}
	if err := m.Migrate(ctx); err != nil {
		return fmt.Errorf("migrate %s: %w", versionTable, err)
	}
	return nil
}

// readFloor creates the floor's table on first use. versionTable is a constant of the program, never user text.
func readFloor(ctx context.Context, conn *pgxpool.Conn, versionTable string) (floor int32, err error) {
	table := versionTable + "_floor"
	_, err = conn.Exec(ctx, "CREATE TABLE IF NOT EXISTS "+table+" (version int NOT NULL)")
	if err == nil {
		_, err = conn.Exec(ctx, "INSERT INTO "+table+" SELECT 0 WHERE NOT EXISTS (SELECT FROM "+table+")")
	}
	if err == nil {
		err = conn.QueryRow(ctx, "SELECT version FROM "+table).Scan(&floor)
	}
	if err != nil {
		return 0, fmt.Errorf("read %s: %w", table, err)
	}
	return floor, nil
}

// lockKey derives an advisory lock key from a name (FNV-1a, 64 bits).
func lockKey(name string) int64 {
	h := fnv.New64a()
	h.Write([]byte(name))
	return int64(h.Sum64())
}
