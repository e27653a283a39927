package cellstore

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/naksha-cloud/naksha/pkg/pg"
	"github.com/naksha-cloud/naksha/services/tenant/internal/cell"
	"github.com/naksha-cloud/naksha/services/tenant/internal/loginops"
	"github.com/naksha-cloud/naksha/services/tenant/internal/provision"
	"github.com/naksha-cloud/naksha/services/tenant/internal/workspace"
)

// BuildSlot creates or adopts a slot's schema, roles and login generation 1.
func (c *Cell) BuildSlot(ctx context.Context, ref, verifier string, connections int) error {
	return c.act(ctx,
		step{"build_slot", map[string]string{"owner": workspace.Schema(ref), "schema": workspace.Schema(ref)}},
		installLogin(ref, cell.Owner{Ref: ref}.Role(1), workspace.Schema(ref), verifier, connections))
}

func installLogin(ref, login, schema, verifier string, connections int) step {
	return step{"install_login", map[string]string{
		"owner": workspace.Schema(ref), "schema": schema, "login": login, "verifier": verifier,
		"connections": strconv.Itoa(connections),
	}}
}

// InstallLogin creates or adopts a workspace's login generation.
func (c *Cell) InstallLogin(ctx context.Context, o cell.Owner, generation int32, verifier string, connections int) error {
	return c.act(ctx, installLogin(o.Ref, o.Role(generation), workspace.Schema(o.Ref), verifier, connections))
}

// InstallReader creates or adopts a reading login of backup's.
func (c *Cell) InstallReader(ctx context.Context, role, verifier string) error {
	return c.act(ctx, step{"install_reader", map[string]string{"login": role, "verifier": verifier}})
}

// SetLogin gives or takes LOGIN; false when there is no such role.
func (c *Cell) SetLogin(ctx context.Context, role string, enabled bool) (found bool, err error) {
	if found, err = c.roleExists(ctx, role); err != nil || !found {
		return false, err
	}
	return true, c.act(ctx, step{"set_login", map[string]string{"login": role, "enabled": strconv.FormatBool(enabled)}})
}

func (c *Cell) roleExists(ctx context.Context, role string) (found bool, err error) {
	if err := c.connect(ctx); err != nil {
		return false, err
	}
	err = c.config.Pool.QueryRow(ctx, query("role_exists"), role).Scan(&found)
	return found, reachable(err)
}

// DropLogin drops a role; no role is no error.
func (c *Cell) DropLogin(ctx context.Context, role string) error { return c.act(ctx, dropLogin(role)) }

func dropLogin(role string) step {
	owner := ""
	if ref, ok := strings.CutPrefix(role, "w_"); ok && len(ref) > 20 {
		owner = workspace.Schema(ref[:20])
	}
	return step{"drop_login", map[string]string{"login": role, "owner": owner}}
}

// allLogins matches every login role of a workspace: generations, and those of restores.
func allLogins(ref string) string { return "^" + workspace.Schema(ref) + "_(g[0-9]+|_r[0-9a-f]{8})$" }

// RevokeWorkspace takes LOGIN from every login role of a workspace and ends their sessions.
func (c *Cell) RevokeWorkspace(ctx context.Context, ref string) error {
	if err := c.act(ctx, step{"disable_logins", map[string]string{"pattern": allLogins(ref)}}); err != nil {
		return err
	}
	return c.endSessions(ctx, allLogins(ref))
}

// LimitConnections sets the connection limit of every generation of a workspace.
func (c *Cell) LimitConnections(ctx context.Context, ref string, connections int) error {
	return c.act(ctx, step{"limit_connections", map[string]string{
		"pattern": "^" + cell.Owner{Ref: ref}.Prefix() + "[0-9]+$", "connections": strconv.Itoa(connections),
	}})
}

// EndSessions ends every session of these roles and waits until they are gone.
func (c *Cell) EndSessions(ctx context.Context, roles ...string) error {
	quoted := make([]string, len(roles))
	for i, role := range roles {
		quoted[i] = regexp.QuoteMeta(role)
	}
	if err := c.connect(ctx); err != nil {
		return err
	}
	return c.endSessions(ctx, "^("+strings.Join(quoted, "|")+")$")
}

// endTime bounds how long ended sessions may take to go: a backend looks for the signal between two steps of its work.
const endTime = 10 * time.Second

func (c *Cell) endSessions(ctx context.Context, pattern string) error {
	ctx, cancel := context.WithTimeout(ctx, endTime)
	defer cancel()
	for {
		var left int
		if err := c.config.Pool.QueryRow(ctx, query("end_sessions"), pattern).Scan(&left); err != nil {
			return reachable(fmt.Errorf("end sessions: %w", err))
		}
		if left == 0 {
			return nil
		}
		if err := pause(ctx, 10*time.Millisecond); err != nil {
			return fmt.Errorf("end sessions: %d are left: %w", left, err)
		}
	}
}

// Logins lists the generations whose role name starts with prefix, ascending.
func (c *Cell) Logins(ctx context.Context, prefix string) ([]cell.Login, error) {
	if err := c.connect(ctx); err != nil {
		return nil, err
	}
	type row struct {
		Role     string
		Enabled  bool
		Sessions int32
	}
	rows, err := c.config.Pool.Query(ctx, query("logins"), "^"+prefix+"[0-9]{1,6}$")
	found, err := pg.All[row](rows, err)
	if err != nil {
		return nil, reachable(fmt.Errorf("list logins: %w", err))
	}
	logins := make([]cell.Login, 0, len(found))
	for _, r := range found {
		if generation, ok := generationOf(r.Role, prefix); ok {
			logins = append(logins, cell.Login{Role: r.Role, Generation: generation, Enabled: r.Enabled, Sessions: r.Sessions})
		}
	}
	slices.SortFunc(logins, func(a, b cell.Login) int { return int(a.Generation - b.Generation) })
	return logins, nil
}

func generationOf(role, prefix string) (int32, bool) {
	n, err := strconv.ParseInt(strings.TrimPrefix(role, prefix), 10, 32)
	return int32(n), err == nil && n > 0
}

// OpenLogins lists every login of the platform's with an open session.
func (c *Cell) OpenLogins(ctx context.Context) ([]loginops.Seen, error) {
	if err := c.connect(ctx); err != nil {
		return nil, err
	}
	roles, err := c.strings(ctx, "open_logins")
	if err != nil {
		return nil, err
	}
	var open []loginops.Seen
	for _, role := range roles {
		owner := cell.Owner{Server: c.config.Server}
		if ref, ok := strings.CutPrefix(role, "w_"); ok {
			owner = cell.Owner{Ref: ref[:20]}
		}
		if generation, ok := generationOf(role, owner.Prefix()); ok {
			open = append(open, loginops.Seen{Owner: owner, Generation: generation})
		}
	}
	return open, nil
}

func (c *Cell) strings(ctx context.Context, name string) ([]string, error) {
	rows, err := c.config.Pool.Query(ctx, query(name))
	if err != nil {
		return nil, reachable(fmt.Errorf("%s: %w", name, err))
	}
	found, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, reachable(fmt.Errorf("%s: %w", name, err))
	}
	return found, nil
}

// Inventory lists what exists in the cell, by ref.
func (c *Cell) Inventory(ctx context.Context) (provision.Inventory, error) {
	if err := c.connect(ctx); err != nil {
		return provision.Inventory{}, err
	}
	type row struct {
		Ref                          string
		Schema, Role, Login, Entered bool
	}
	rows, err := c.config.Pool.Query(ctx, query("inventory"))
	found, err := pg.All[row](rows, err)
	if err != nil {
		return provision.Inventory{}, reachable(fmt.Errorf("list what the cell holds: %w", err))
	}
	i := provision.NewInventory()
	for _, r := range found {
		i.Any[r.Ref], i.Whole[r.Ref], i.Entered[r.Ref] = true, r.Schema && r.Role && r.Login, r.Entered
	}
	return i, nil
}
