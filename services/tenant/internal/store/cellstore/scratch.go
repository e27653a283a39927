package cellstore

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/naksha-cloud/naksha/services/tenant/internal/cell"
)

// makeScratch makes or adopts the empty database in which a restore's DDL is renamed; the restore's login owns it, and
// nobody else may enter, not even in the moment after it was made. A database cannot be made in a transaction: what a
// crash leaves half made is adopted here, or dropped with the rest.
func (c *Cell) makeScratch(ctx context.Context, r cell.Restore) error {
	var exists bool
	if err := c.config.Pool.QueryRow(ctx, query("database_exists"), r.Scratch()).Scan(&exists); err != nil {
		return reachable(fmt.Errorf("look for scratch database: %w", err))
	}
	name, owner := pgx.Identifier{r.Scratch()}.Sanitize(), pgx.Identifier{r.Staged()}.Sanitize()
	statements := []string{
		"REVOKE ALL ON DATABASE " + name + " FROM PUBLIC",
		"ALTER DATABASE " + name + " SET log_min_messages = 'fatal'", // customers' functions run here, see setup.sql
		"ALTER DATABASE " + name + " ALLOW_CONNECTIONS true",
	}
	if !exists {
		create := "CREATE DATABASE " + name + " OWNER " + owner + " TEMPLATE template0 ALLOW_CONNECTIONS false"
		statements = append([]string{create}, statements...)
	}
	return c.alone(ctx, statements...)
}

// dropScratch drops it, whoever is connected.
func (c *Cell) dropScratch(ctx context.Context, r cell.Restore) error {
	return c.alone(ctx, "DROP DATABASE IF EXISTS "+pgx.Identifier{r.Scratch()}.Sanitize()+" WITH (FORCE)")
}

// alone runs statements that Postgres refuses inside a transaction. The names in them are of our own making.
func (c *Cell) alone(ctx context.Context, statements ...string) error {
	for _, statement := range statements {
		if _, err := c.config.Pool.Exec(ctx, statement); err != nil {
			return reachable(fmt.Errorf("scratch database: %w", err))
		}
	}
	return nil
}
