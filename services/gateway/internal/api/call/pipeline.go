package call

import (
	"context"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"

	"github.com/naksha-cloud/naksha/pkg/rpc"
	"github.com/naksha-cloud/naksha/services/gateway/internal/authorize"
	"github.com/naksha-cloud/naksha/services/gateway/internal/permission"
)

// Conns finds the connection to a service by its name.
type Conns func(service string) (grpc.ClientConnInterface, error)

// Pipeline lets calls through.
type Pipeline struct {
	Methods *Registry
	Roles   permission.Roles
	Conns   Conns
	Timeout time.Duration // of a call that brings no shorter deadline
}

// Order is one call, as its transport brings it.
type Order struct {
	Method  string                                // full name
	Decode  func(m Method) (proto.Message, error) // reads the request; called once the method is granted
	In, Out any                                   // what travels to the service, and what its reply is put into
	Options []grpc.CallOption
}

// Do passes o on to the service that owns its method, if the visit's caller may call it. Errors are what the caller may
// see: a service's own as it said them, anything else as a fault of the door's.
func (p *Pipeline) Do(ctx context.Context, o Order) error {
	v := From(ctx)
	err := p.do(ctx, v, o)
	if err != nil {
		v.Fail(err)
	}
	return err
}

func (p *Pipeline) do(ctx context.Context, v *Visit, o Order) error {
	if v.Refused != nil {
		return v.Refused
	}
	m, ok := p.Methods.Resolve(o.Method)
	if !ok {
		return authorize.Unknown()
	}
	v.Method = m.FullName
	if ok, reason := authorize.Permission(p.Roles, v.Who, m.Method); !ok {
		return authorize.Refusal(reason, v.Who, m.Method)
	}
	request, err := o.Decode(m)
	if err != nil {
		return err
	}
	ref, ok := rpc.WorkspaceOf(request, m.WorkspaceField)
	if !ok {
		ref = ""
	}
	if ok, reason := authorize.Workspace(p.Roles, v.Who, m.Method, ref); !ok {
		return authorize.Refusal(reason, v.Who, m.Method)
	}
	return p.forward(ctx, v, m, request, o)
}

func (p *Pipeline) forward(ctx context.Context, v *Visit, m Method, request proto.Message, o Order) error {
	owner, err := ownerOf(m, request)
	if err != nil {
		return err
	}
	conn, err := p.Conns(owner)
	if err != nil {
		return away(owner, err)
	}
	// Nothing of what the client sent travels on but the request itself: not its key, not metadata that it made up.
	ctx = metadata.NewOutgoingContext(Identified(ctx, v), metadata.MD{})
	ctx, cancel := context.WithTimeout(ctx, p.Timeout)
	defer cancel()
	if err := conn.Invoke(ctx, m.FullName, o.In, o.Out, o.Options...); err != nil {
		return outward(err, owner)
	}
	return nil
}
