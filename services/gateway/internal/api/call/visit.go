// Package call is the one pipeline of the door: whatever the transport, a call is admitted, resolved, authorised and
// forwarded here, in this order, and nowhere else.
package call

import (
	"context"

	"github.com/naksha-cloud/naksha/pkg/caller"
	"github.com/naksha-cloud/naksha/pkg/fault"
	"github.com/naksha-cloud/naksha/services/gateway/internal/key"
)

// Visit is what is known of one call while it passes. The door makes it; the pipeline and the transports fill it in; at
// the end the door logs and measures it. One goroutine at a time uses it.
type Visit struct {
	RequestID string
	Who       key.Identity // valid unless Refused
	Refused   error        // why the caller is nobody; nil = Who is genuine
	Method    string       // resolved method; empty = none
	Outcome   *fault.Fault // how the call failed; nil = it did not
}

type visitKey struct{}

// With returns ctx with the visit, its request id and, once known, its caller.
func With(ctx context.Context, v *Visit) context.Context {
	return context.WithValue(Identified(ctx, v), visitKey{}, v)
}

// Identified returns ctx with the visit's caller and request id, for logs and for the services.
func Identified(ctx context.Context, v *Visit) context.Context {
	c := caller.Caller{RequestID: v.RequestID}
	if v.Refused == nil && v.Who.KID != "" {
		c.Principal, c.Kind, c.Workspace = v.Who.KID, string(v.Who.Kind), v.Who.Workspace
	}
	return caller.With(ctx, c)
}

// From returns the visit of ctx. Without one, nobody has let the call in.
func From(ctx context.Context) *Visit {
	if v, ok := ctx.Value(visitKey{}).(*Visit); ok {
		return v
	}
	return &Visit{Refused: key.Missing()}
}

// Fail notes how the call failed and returns it as a fault.
func (v *Visit) Fail(err error) *fault.Fault {
	v.Outcome = fault.From(err)
	return v.Outcome
}
