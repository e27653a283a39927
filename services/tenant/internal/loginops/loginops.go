// Package loginops carries out rotation's orders on login generations, a workspace's or backup's reading one: intent row,
// idempotent act, outcome row. It sees no password, only verifiers, and it refuses to give access to a deleted workspace.
package loginops

import (
	"context"
	"time"

	"github.com/naksha-cloud/naksha/pkg/fault"
	"github.com/naksha-cloud/naksha/services/tenant/internal/cell"
	"github.com/naksha-cloud/naksha/services/tenant/internal/plan"
	"github.com/naksha-cloud/naksha/services/tenant/internal/workspace"
)

// Intent is what is about to be done to a login.
type Intent string

// The intents.
const (
	Install Intent = "install"
	Disable Intent = "disable"
	Enable  Intent = "enable"
	Drop    Intent = "drop"
)

// GivesAccess says whether the act lets somebody in.
func (i Intent) GivesAccess() bool { return i == Install || i == Enable }

// Seen is a login with an open session.
type Seen struct {
	Owner      cell.Owner
	Generation int32
}

// Journal is the record.
type Journal interface {
	// IntendLogin records an intent and returns the owner's workspace. NotFound, or FailedPrecondition when it is deleted.
	IntendLogin(ctx context.Context, o cell.Owner, generation int32, intent Intent) (workspace.Workspace, error)
	ConcludeLogin(ctx context.Context, o cell.Owner, generation int32) error
	SeeLogins(ctx context.Context, seen []Seen) error
	LastSeen(ctx context.Context, o cell.Owner) (map[int32]time.Time, error)
	Workspace(ctx context.Context, ref string) (workspace.Workspace, error)
}

// Cell acts on the server. Unavailable: it does not answer.
type Cell interface {
	// InstallLogin makes or adopts a workspace's login; an adopted one gets the verifier and keeps LOGIN as it is.
	InstallLogin(ctx context.Context, o cell.Owner, generation int32, verifier string, connections int) error
	// InstallReader makes or adopts backup's reading login.
	InstallReader(ctx context.Context, role, verifier string) error
	// SetLogin gives or takes LOGIN; false when there is no such role.
	SetLogin(ctx context.Context, role string, enabled bool) (found bool, err error)
	// EndSessions ends every session of these roles and waits until they are gone.
	EndSessions(ctx context.Context, roles ...string) error
	// DropLogin drops the role; no role is no error.
	DropLogin(ctx context.Context, role string) error
	// Logins lists the generations whose role name starts with prefix, ascending.
	Logins(ctx context.Context, prefix string) ([]cell.Login, error)
	// OpenLogins lists every login of the platform's with an open session.
	OpenLogins(ctx context.Context) ([]Seen, error)
}

// Operator carries out orders.
type Operator struct {
	Journal Journal
	Cell    Cell
	Server  string // id of the one server
}

// Install makes or adopts a generation. FailedPrecondition: the generation is the one that the customer holds.
func (op *Operator) Install(ctx context.Context, o cell.Owner, generation int32, verifier string) (cell.Login, error) {
	w, err := op.intend(ctx, o, generation, Install)
	if err != nil {
		return cell.Login{}, err
	}
	if o.Ref == "" {
		err = op.Cell.InstallReader(ctx, o.Role(generation), verifier)
	} else {
		err = op.install(ctx, o, generation, verifier, w)
	}
	if err != nil {
		return cell.Login{}, err
	}
	return op.conclude(ctx, o, generation)
}

func (op *Operator) install(ctx context.Context, o cell.Owner, generation int32, verifier string, w workspace.Workspace) error {
	if generation <= w.LoginGeneration {
		return fault.Precondition("LOGIN_ACTIVE", "Generation %d is held by the customer.", w.LoginGeneration).
			WithRemedy("Install a later generation.")
	}
	p, err := plan.Find(w.Plan)
	if err != nil {
		return err
	}
	if err := op.Cell.InstallLogin(ctx, o, generation, verifier, p.Connections); err != nil {
		return err
	}
	return op.outlived(ctx, o, generation)
}

// outlived takes LOGIN back when the workspace was deleted while the login was being made.
func (op *Operator) outlived(ctx context.Context, o cell.Owner, generation int32) error {
	if o.Ref == "" {
		return nil
	}
	w, err := op.Journal.Workspace(ctx, o.Ref)
	if err != nil || w.State == workspace.Active {
		return err
	}
	if _, err := op.Cell.SetLogin(ctx, o.Role(generation), false); err != nil {
		return err
	}
	return workspace.Gone(o.Ref)
}

// Disable takes LOGIN away, and ends the sessions where asked to.
func (op *Operator) Disable(ctx context.Context, o cell.Owner, generation int32, endSessions bool) (cell.Login, error) {
	if err := op.set(ctx, o, generation, Disable); err != nil {
		return cell.Login{}, err
	}
	if endSessions {
		if err := op.Cell.EndSessions(ctx, o.Role(generation)); err != nil {
			return cell.Login{}, err
		}
	}
	return op.conclude(ctx, o, generation)
}

// Enable gives LOGIN back.
func (op *Operator) Enable(ctx context.Context, o cell.Owner, generation int32) (cell.Login, error) {
	if err := op.set(ctx, o, generation, Enable); err != nil {
		return cell.Login{}, err
	}
	if err := op.outlived(ctx, o, generation); err != nil {
		return cell.Login{}, err
	}
	return op.conclude(ctx, o, generation)
}

func (op *Operator) set(ctx context.Context, o cell.Owner, generation int32, intent Intent) error {
	if _, err := op.intend(ctx, o, generation, intent); err != nil {
		return err
	}
	found, err := op.Cell.SetLogin(ctx, o.Role(generation), intent == Enable)
	if err == nil && !found {
		err = cell.LoginNotFound(o.Role(generation))
	}
	return err
}

// Drop drops a disabled generation. FailedPrecondition: it may still log in.
func (op *Operator) Drop(ctx context.Context, o cell.Owner, generation int32) error {
	logins, err := op.Cell.Logins(ctx, o.Prefix())
	if err != nil {
		return err
	}
	for _, l := range logins {
		if l.Generation == generation && l.Enabled {
			return fault.Precondition("LOGIN_ENABLED", "The login %s is enabled.", l.Role).WithRemedy("Disable it first.")
		}
	}
	if _, err := op.intend(ctx, o, generation, Drop); err != nil {
		return err
	}
	if err := op.Cell.EndSessions(ctx, o.Role(generation)); err != nil {
		return err
	}
	if err := op.Cell.DropLogin(ctx, o.Role(generation)); err != nil {
		return err
	}
	return op.Journal.ConcludeLogin(ctx, o, generation)
}

func (op *Operator) intend(ctx context.Context, o cell.Owner, generation int32, intent Intent) (workspace.Workspace, error) {
	if err := op.known(o); err != nil {
		return workspace.Workspace{}, err
	}
	return op.Journal.IntendLogin(ctx, o, generation, intent)
}

func (op *Operator) known(o cell.Owner) error {
	if o.Ref == "" && o.Server != op.Server {
		return cell.ServerNotFound(o.Server)
	}
	return nil
}

// conclude records the outcome and returns the login as the server shows it.
func (op *Operator) conclude(ctx context.Context, o cell.Owner, generation int32) (cell.Login, error) {
	if err := op.Journal.ConcludeLogin(ctx, o, generation); err != nil {
		return cell.Login{}, err
	}
	logins, err := op.observe(ctx, o)
	if err != nil {
		return cell.Login{}, err
	}
	for _, l := range logins {
		if l.Generation == generation {
			return l, nil
		}
	}
	return cell.Login{}, cell.LoginNotFound(o.Role(generation))
}
