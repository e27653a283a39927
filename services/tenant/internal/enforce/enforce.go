// Package enforce makes cells and regions follow the record. A deleted workspace: its logins lose LOGIN and their
// sessions end, its S3 keys are deactivated in every region. A plan: the logins' connection limit. It works off rows, so
// a crash at any moment only delays it. It erases no data yet.
package enforce

import (
	"context"
	"errors"
	"fmt"

	"github.com/naksha-cloud/naksha/services/tenant/internal/plan"
)

// batch bounds what is read at once.
const batch = 100

// Record lists what is to be done.
type Record interface {
	// Unrevoked lists the refs behind after that still have to be revoked, in their order.
	Unrevoked(ctx context.Context, after string, limit int) ([]string, error)
	NoteRevoked(ctx context.Context, ref string) error
	Unapplied(ctx context.Context, limit int) (plans map[string]string, err error)
	NoteApplied(ctx context.Context, ref, plan string) error
}

// Cell ends logins.
type Cell interface {
	// RevokeWorkspace takes LOGIN from every login role of a workspace and ends their sessions.
	RevokeWorkspace(ctx context.Context, ref string) error
	// LimitConnections sets the connection limit of every login role of a workspace.
	LimitConnections(ctx context.Context, ref string, connections int) error
}

// Region deactivates keys.
type Region interface {
	// RevokeWorkspace deactivates every access key of a workspace's user; no user is no error.
	RevokeWorkspace(ctx context.Context, ref string) error
}

// Enforcer makes cells and regions follow the record.
type Enforcer struct {
	Record  Record
	Cell    Cell
	Regions []Region
}

// Enforce works off the tombstones, then the plans that a cell does not enforce yet. One that fails does not keep
// others waiting; the errors are joined.
func (e *Enforcer) Enforce(ctx context.Context) error {
	return errors.Join(e.revokeAll(ctx), e.applyPlans(ctx))
}

func (e *Enforcer) revokeAll(ctx context.Context) error {
	var errs []error
	for after := ""; ctx.Err() == nil; {
		refs, err := e.Record.Unrevoked(ctx, after, batch)
		if err != nil {
			return errors.Join(append(errs, err)...)
		}
		for _, ref := range refs {
			errs = append(errs, e.revoke(ctx, ref))
		}
		if len(refs) < batch {
			break
		}
		after = refs[len(refs)-1]
	}
	return errors.Join(errs...)
}

// revoke tries every place, also after one failed: a region that is down must not keep logins alive.
func (e *Enforcer) revoke(ctx context.Context, ref string) error {
	errs := []error{e.Cell.RevokeWorkspace(ctx, ref)}
	for _, region := range e.Regions {
		errs = append(errs, region.RevokeWorkspace(ctx, ref))
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("revoke workspace %s: %w", ref, err)
	}
	return e.Record.NoteRevoked(ctx, ref)
}

func (e *Enforcer) applyPlans(ctx context.Context) error {
	plans, err := e.Record.Unapplied(ctx, batch)
	if err != nil {
		return err
	}
	var errs []error
	for ref, name := range plans {
		p, err := plan.Find(name)
		if err == nil {
			err = e.Cell.LimitConnections(ctx, ref, p.Connections)
		}
		if err == nil {
			err = e.Record.NoteApplied(ctx, ref, name)
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}
