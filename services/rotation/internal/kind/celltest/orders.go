package celltest

import (
	"context"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/naksha-cloud/naksha/pkg/fault"
	tenantv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/tenant/v1"
)

// GetCell says how to reach the cell.
func (c *Cell) GetCell(context.Context, *tenantv1.GetCellRequest) (*tenantv1.GetCellResponse, error) {
	if err := c.called(); err != nil {
		return nil, err
	}
	port, err := strconv.Atoi(c.url.Port())
	if err != nil {
		return nil, err
	}
	return &tenantv1.GetCellResponse{Cell: &tenantv1.Cell{
		Name: "cells/test", Server: c.Server, Host: c.url.Hostname(), Port: int32(port),
		Database: strings.TrimPrefix(c.url.Path, "/"), TlsParameters: c.url.RawQuery,
		CustomerHost: c.url.Hostname(), CustomerPort: int32(port), CustomerTlsParameters: c.url.RawQuery + "&application_name=customer",
	}}, nil
}

// InstallLogin makes or adopts a generation.
func (c *Cell) InstallLogin(ctx context.Context, r *tenantv1.InstallLoginRequest) (*tenantv1.InstallLoginResponse, error) {
	if err := c.known(ctx, r.GetOwner()); err != nil {
		return nil, err
	}
	role := c.Role(r.GetOwner(), r.GetGeneration())
	if err := c.install(ctx, r.GetOwner(), role, r.GetScramVerifier()); err != nil {
		return nil, err
	}
	login, err := c.find(ctx, r.GetOwner(), r.GetGeneration())
	return &tenantv1.InstallLoginResponse{Login: login}, err
}

// DisableLogin takes LOGIN away.
func (c *Cell) DisableLogin(ctx context.Context, r *tenantv1.DisableLoginRequest) (*tenantv1.DisableLoginResponse, error) {
	login, err := c.alter(ctx, r.GetOwner(), r.GetGeneration(), "NOLOGIN")
	if err == nil && r.GetEndSessions() {
		_, err = c.pool.Exec(ctx, "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE usename = $1", login.GetRole())
	}
	return &tenantv1.DisableLoginResponse{Login: login}, err
}

// EnableLogin gives LOGIN back.
func (c *Cell) EnableLogin(ctx context.Context, r *tenantv1.EnableLoginRequest) (*tenantv1.EnableLoginResponse, error) {
	login, err := c.alter(ctx, r.GetOwner(), r.GetGeneration(), "LOGIN")
	return &tenantv1.EnableLoginResponse{Login: login}, err
}

// DropLogin drops a disabled generation.
func (c *Cell) DropLogin(ctx context.Context, r *tenantv1.DropLoginRequest) (*tenantv1.DropLoginResponse, error) {
	if err := c.known(ctx, r.GetOwner()); err != nil {
		return nil, err
	}
	login, err := c.find(ctx, r.GetOwner(), r.GetGeneration())
	switch {
	case err != nil || login == nil:
		return &tenantv1.DropLoginResponse{}, err
	case login.GetEnabled():
		return nil, fault.Precondition("LOGIN_ENABLED", "The login %s is enabled.", login.GetRole())
	}
	return &tenantv1.DropLoginResponse{}, c.grant(ctx, fmt.Sprintf("DROP OWNED BY %[1]s; DROP ROLE %[1]s", login.GetRole()))
}

// ObserveLogins lists the generations that exist.
func (c *Cell) ObserveLogins(ctx context.Context, r *tenantv1.ObserveLoginsRequest) (*tenantv1.ObserveLoginsResponse, error) {
	if err := c.known(ctx, r.GetOwner()); err != nil {
		return nil, err
	}
	logins, err := c.list(ctx, r.GetOwner())
	return &tenantv1.ObserveLoginsResponse{Logins: logins}, err
}

// known refuses owners that this cell does not hold, and whatever Fail was told to refuse.
func (c *Cell) known(ctx context.Context, owner string) error {
	if err := c.called(); err != nil {
		return err
	}
	if owner == c.Server {
		return nil
	}
	var found bool
	if err := c.pool.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = $1)", c.group(owner)).Scan(&found); err != nil {
		return err
	}
	if !found {
		return fault.NotFound("WORKSPACE_UNKNOWN", "There is no %s.", owner)
	}
	return nil
}

func (c *Cell) install(ctx context.Context, owner, role, verifier string) error {
	var exists bool
	if err := c.pool.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1)", role).Scan(&exists); err != nil {
		return err
	}
	verb, database := "CREATE", strings.TrimPrefix(c.url.Path, "/")
	if exists {
		verb = "ALTER"
	}
	sql := fmt.Sprintf("%s ROLE %s LOGIN PASSWORD '%s'; GRANT CONNECT ON DATABASE %s TO %[2]s", verb, role, verifier, database)
	if group := c.group(owner); group == c.prefix {
		sql += fmt.Sprintf("; GRANT pg_read_all_data TO %[1]s; ALTER ROLE %[1]s BYPASSRLS", role)
	} else {
		sql += fmt.Sprintf("; ALTER ROLE %[1]s NOINHERIT; GRANT %[2]s TO %[1]s; ALTER ROLE %[1]s SET role = '%[2]s'; "+
			"ALTER ROLE %[1]s SET search_path = %[2]s", role, group)
	}
	return c.grant(ctx, sql)
}

// grant runs statements that change who may enter the database, one after the other: they meet in one row of the catalog, and
// of two at once the server refuses one.
func (c *Cell) grant(ctx context.Context, sql string) error {
	c.granting.Lock()
	defer c.granting.Unlock()
	_, err := c.pool.Exec(ctx, sql)
	return err
}

func (c *Cell) alter(ctx context.Context, owner string, number int32, option string) (*tenantv1.Login, error) {
	if err := c.known(ctx, owner); err != nil {
		return nil, err
	}
	role := c.Role(owner, number)
	if login, err := c.find(ctx, owner, number); err != nil || login == nil {
		return nil, fault.NotFound("LOGIN_UNKNOWN", "There is no login %s.", role).WithCause(err)
	}
	if _, err := c.pool.Exec(ctx, "ALTER ROLE "+role+" "+option); err != nil {
		return nil, err
	}
	return c.find(ctx, owner, number)
}

func (c *Cell) find(ctx context.Context, owner string, number int32) (*tenantv1.Login, error) {
	logins, err := c.list(ctx, owner)
	for _, l := range logins {
		if l.GetGeneration() == number {
			return l, err
		}
	}
	return nil, err
}

var generationOf = regexp.MustCompile(`_g([0-9]+)$`)

func (c *Cell) list(ctx context.Context, owner string) ([]*tenantv1.Login, error) {
	rows, err := c.pool.Query(ctx, `SELECT r.rolname, r.rolcanlogin, (SELECT count(*) FROM pg_stat_activity AS a WHERE a.usesysid = r.oid)::int
		FROM pg_roles AS r WHERE r.rolname ~ ('^' || $1 || '_g[0-9]+$') ORDER BY length(r.rolname), r.rolname`, c.group(owner))
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (*tenantv1.Login, error) {
		l := &tenantv1.Login{}
		if err := row.Scan(&l.Role, &l.Enabled, &l.Sessions); err != nil {
			return nil, err
		}
		number, err := strconv.Atoi(generationOf.FindStringSubmatch(l.Role)[1])
		l.Generation = int32(number)
		return l, err
	})
}

// leftovers are the roles of this cell's workspaces and readers.
func (c *Cell) leftovers(ctx context.Context, t testing.TB, conn *pgx.Conn) []string {
	rows, err := conn.Query(ctx, "SELECT rolname FROM pg_roles WHERE rolname = any($1) OR rolname ~ ('^(' || $2 || ')_g[0-9]+$') ORDER BY length(rolname) DESC",
		c.groups(), strings.Join(append(c.groups(), c.prefix), "|"))
	if err != nil {
		t.Error(err)
		return nil
	}
	roles, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Error(err)
	}
	return roles
}
