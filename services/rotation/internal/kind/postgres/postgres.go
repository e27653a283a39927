// Package postgres is the driver for login roles of a Postgres server: a workspace's own and backup's reader. The tenant
// service, which alone may change roles, carries the orders out; this package asks it, and tries the logins itself. It
// names no login: tenant does, and it uses what tenant answers.
package postgres

import (
	"context"
	"fmt"

	"google.golang.org/grpc/codes"

	"github.com/naksha-cloud/naksha/pkg/fault"
	"github.com/naksha-cloud/naksha/pkg/scram"
	tenantv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/tenant/v1"
	"github.com/naksha-cloud/naksha/services/rotation/internal/credential"
	"github.com/naksha-cloud/naksha/services/rotation/internal/generation"
	"github.com/naksha-cloud/naksha/services/rotation/internal/rotate"
	"github.com/naksha-cloud/naksha/services/rotation/internal/rotation"
)

// Driver implements rotate.Driver and custody.Locator. It is safe for concurrent use.
type Driver struct {
	cells func() (tenantv1.CellServiceClient, error)
	dial  Dialer
}

// New returns a Driver that asks the service that cells connects to, and tries logins with dial.
func New(cells func() (tenantv1.CellServiceClient, error), dial Dialer) *Driver {
	return &Driver{cells: cells, dial: dial}
}

// Mint makes a password and its SCRAM verifier.
func (d *Driver) Mint(context.Context, rotate.Target) (generation.Secret, error) {
	password := scram.Password()
	verifier, err := scram.Verifier(password)
	return generation.Secret{Password: generation.Password(password), Verifier: generation.Password(verifier)}, err
}

// Install makes the role; one that is there gets the verifier.
func (d *Driver) Install(ctx context.Context, t rotate.Target, s generation.Secret) (string, error) {
	cells, err := d.cells()
	if err != nil {
		return "", err
	}
	reply, err := cells.InstallLogin(ctx, &tenantv1.InstallLoginRequest{
		Owner: t.Credential.Owner(), Generation: t.Generation, ScramVerifier: s.Verifier.Reveal(),
	})
	if err != nil {
		return "", fmt.Errorf("install generation %d: %w", t.Generation, err)
	}
	return fmt.Sprintf("role %s installed", reply.GetLogin().GetRole()), nil
}

// Observe lists the owner's roles with their sessions.
func (d *Driver) Observe(ctx context.Context, c credential.Name) (map[int32]rotation.Presence, error) {
	logins, err := d.logins(ctx, c)
	if err != nil {
		return nil, err
	}
	found := map[int32]rotation.Presence{}
	for _, l := range logins {
		p := rotation.Presence{Exists: true, Enabled: l.GetEnabled(), Sessions: int(l.GetSessions())}
		if l.GetLastSeenTime() != nil {
			p.LastSeen = l.GetLastSeenTime().AsTime()
		}
		found[l.GetGeneration()] = p
	}
	return found, nil
}

// Disable takes LOGIN away; sessions stay open.
func (d *Driver) Disable(ctx context.Context, t rotate.Target) (string, error) {
	cells, err := d.cells()
	if err != nil {
		return "", err
	}
	reply, err := cells.DisableLogin(ctx, &tenantv1.DisableLoginRequest{Owner: t.Credential.Owner(), Generation: t.Generation})
	if err != nil {
		return "", fmt.Errorf("disable generation %d: %w", t.Generation, err)
	}
	return fmt.Sprintf("role %s may not log in, %d sessions", reply.GetLogin().GetRole(), reply.GetLogin().GetSessions()), nil
}

// Enable gives LOGIN back.
func (d *Driver) Enable(ctx context.Context, t rotate.Target) (string, error) {
	cells, err := d.cells()
	if err != nil {
		return "", err
	}
	reply, err := cells.EnableLogin(ctx, &tenantv1.EnableLoginRequest{Owner: t.Credential.Owner(), Generation: t.Generation})
	if err != nil {
		return "", fmt.Errorf("enable generation %d: %w", t.Generation, err)
	}
	return fmt.Sprintf("role %s may log in again", reply.GetLogin().GetRole()), nil
}

// Destroy ends what is left of the role's sessions and drops it. A role, or a whole workspace, that is gone is fine.
func (d *Driver) Destroy(ctx context.Context, t rotate.Target) (string, error) {
	role, err := d.role(ctx, t)
	switch {
	case fault.CodeOf(err) == codes.NotFound:
		return fmt.Sprintf("generation %d is gone with its owner", t.Generation), nil
	case err != nil:
		return "", err
	case role == "":
		return fmt.Sprintf("generation %d is not at the server", t.Generation), nil
	}
	cells, err := d.cells()
	if err != nil {
		return "", err
	}
	_, err = cells.DisableLogin(ctx, &tenantv1.DisableLoginRequest{
		Owner: t.Credential.Owner(), Generation: t.Generation, EndSessions: true,
	})
	if err != nil && fault.CodeOf(err) != codes.NotFound { // a repeat of ours may have been first
		return "", fmt.Errorf("disable generation %d: %w", t.Generation, err)
	}
	if _, err := cells.DropLogin(ctx, &tenantv1.DropLoginRequest{Owner: t.Credential.Owner(), Generation: t.Generation}); err != nil {
		return "", fmt.Errorf("drop generation %d: %w", t.Generation, err)
	}
	return fmt.Sprintf("role %s dropped", role), nil
}

// logins are the roles of the credential's owner that exist.
func (d *Driver) logins(ctx context.Context, c credential.Name) ([]*tenantv1.Login, error) {
	cells, err := d.cells()
	if err != nil {
		return nil, err
	}
	reply, err := cells.ObserveLogins(ctx, &tenantv1.ObserveLoginsRequest{Owner: c.Owner()})
	if err != nil {
		return nil, fmt.Errorf("observe logins: %w", err)
	}
	return reply.GetLogins(), nil
}

// role is the name of a generation's role, "" when there is none.
func (d *Driver) role(ctx context.Context, t rotate.Target) (string, error) {
	login, err := d.login(ctx, t)
	return login.GetRole(), err
}

func (d *Driver) login(ctx context.Context, t rotate.Target) (*tenantv1.Login, error) {
	logins, err := d.logins(ctx, t.Credential)
	if err != nil {
		return nil, err
	}
	for _, l := range logins {
		if l.GetGeneration() == t.Generation {
			return l, nil
		}
	}
	return nil, nil
}
