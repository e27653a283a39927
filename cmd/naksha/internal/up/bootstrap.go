package up

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// databaseName is the platform database; cellName the first cell's.
const (
	databaseName = "naksha"
	cellName     = "cell1"
	ddlRole      = "naksha_ddl"
)

// bootstrap makes what the services find in place in production: the platform database with a role and a schema for
// each service, the first cell's database with the tenant service's login. Every statement may run again.
func (p *Platform) bootstrap(ctx context.Context) error {
	if err := p.bootstrapPlatform(ctx); err != nil {
		return fmt.Errorf("platform database: %w", err)
	}
	if err := p.bootstrapCell(ctx); err != nil {
		return fmt.Errorf("cell: %w", err)
	}
	return nil
}

func (p *Platform) bootstrapPlatform(ctx context.Context) error {
	if err := p.makeRoles(ctx); err != nil {
		return err
	}
	return p.makeSchemas(ctx)
}

// makeRoles makes each service's login and the database.
func (p *Platform) makeRoles(ctx context.Context) error {
	return inDatabase(ctx, p.platformURL(), func(c *pgx.Conn) error {
		for _, name := range Services {
			if err := ensureRole(ctx, c, name, p.state.password("database/"+name), "NOSUPERUSER"); err != nil {
				return err
			}
		}
		return ensureDatabase(ctx, c, databaseName)
	})
}

// makeSchemas gives each service the schema that it alone may enter.
func (p *Platform) makeSchemas(ctx context.Context) error {
	return inDatabase(ctx, in(p.platformURL(), databaseName), func(c *pgx.Conn) error {
		for _, name := range Services {
			id := pgx.Identifier{name}.Sanitize()
			sql := fmt.Sprintf("CREATE SCHEMA IF NOT EXISTS %[1]s AUTHORIZATION %[1]s; GRANT CONNECT ON DATABASE %[2]s TO %[1]s; "+
				"ALTER ROLE %[1]s SET search_path = %[1]s", id, databaseName)
			if _, err := c.Exec(ctx, sql); err != nil {
				return fmt.Errorf("schema of %s: %w", name, err)
			}
		}
		return nil
	})
}

// refuseFilled keeps a restore from a database that another platform uses.
func (p *Platform) refuseFilled(ctx context.Context) error {
	return inDatabase(ctx, in(p.platformURL(), databaseName), func(c *pgx.Conn) error {
		var filled bool
		err := c.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = ANY ($1))", Services).Scan(&filled)
		if err == nil && filled {
			err = fmt.Errorf("database %s holds a platform already: give a server without one, or drop that database first", databaseName)
		}
		return err
	})
}

func (p *Platform) bootstrapCell(ctx context.Context) error {
	return inDatabase(ctx, p.cellURL(), func(c *pgx.Conn) error {
		// On PostgreSQL 15 CREATEROLE amounts to a shell on the server; superuser says so openly (docs/adr).
		if err := ensureRole(ctx, c, ddlRole, p.state.password("cell/"+ddlRole), "SUPERUSER"); err != nil {
			return err
		}
		return ensureDatabase(ctx, c, cellName)
	})
}

func inDatabase(ctx context.Context, url string, f func(c *pgx.Conn) error) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	c, err := pgx.Connect(ctx, url)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	defer c.Close(ctx)
	return f(c)
}

// ensureRole creates a login, or brings its password up to date. The password is derived, hence quotable.
func ensureRole(ctx context.Context, c *pgx.Conn, name, password, rights string) error {
	id := pgx.Identifier{name}.Sanitize()
	var exists bool
	if err := c.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1)", name).Scan(&exists); err != nil {
		return fmt.Errorf("look for role %s: %w", name, err)
	}
	verb := "CREATE"
	if exists {
		verb = "ALTER"
	}
	sql := fmt.Sprintf("%s ROLE %s LOGIN %s PASSWORD '%s'", verb, id, rights, password)
	if _, err := c.Exec(ctx, sql); err != nil {
		return fmt.Errorf("%s role %s: %w", verb, name, err)
	}
	return nil
}

// ensureDatabase creates a database that nobody but its users may enter.
func ensureDatabase(ctx context.Context, c *pgx.Conn, name string) error {
	var exists bool
	if err := c.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)", name).Scan(&exists); err != nil {
		return fmt.Errorf("look for database %s: %w", name, err)
	}
	id := pgx.Identifier{name}.Sanitize()
	if !exists {
		if _, err := c.Exec(ctx, "CREATE DATABASE "+id); err != nil {
			return fmt.Errorf("create database %s: %w", name, err)
		}
	}
	_, err := c.Exec(ctx, "REVOKE ALL ON DATABASE "+id+" FROM PUBLIC; REVOKE ALL ON DATABASE postgres, template1 FROM PUBLIC")
	return err
}
