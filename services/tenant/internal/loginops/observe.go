package loginops

import (
	"context"

	"github.com/naksha-cloud/naksha/services/tenant/internal/cell"
)

// Observe lists an owner's generations at the server with their open sessions, and remembers which were in use.
// NotFound: there is no such owner.
func (op *Operator) Observe(ctx context.Context, o cell.Owner) ([]cell.Login, error) {
	if err := op.known(o); err != nil {
		return nil, err
	}
	if o.Ref != "" {
		if _, err := op.Journal.Workspace(ctx, o.Ref); err != nil {
			return nil, err
		}
	}
	return op.observe(ctx, o)
}

func (op *Operator) observe(ctx context.Context, o cell.Owner) ([]cell.Login, error) {
	logins, err := op.Cell.Logins(ctx, o.Prefix())
	if err != nil {
		return nil, err
	}
	var open []Seen
	for _, l := range logins {
		if l.Sessions > 0 {
			open = append(open, Seen{Owner: o, Generation: l.Generation})
		}
	}
	if err := op.Journal.SeeLogins(ctx, open); err != nil {
		return nil, err
	}
	seen, err := op.Journal.LastSeen(ctx, o)
	if err != nil {
		return nil, err
	}
	for i, l := range logins {
		if at, ok := seen[l.Generation]; ok {
			logins[i].LastSeen = &at
		}
	}
	return logins, nil
}

// Sample remembers which logins of all owners have a session now. Sessions that open and close between two samples are
// not seen: the journal says "last seen", not "last used".
func (op *Operator) Sample(ctx context.Context) error {
	open, err := op.Cell.OpenLogins(ctx)
	if err != nil {
		return err
	}
	return op.Journal.SeeLogins(ctx, open)
}
