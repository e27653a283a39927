package call

import (
	"context"
	"fmt"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
)

// Local is a connection to a service in this process: the gateway's own methods are called in place, behind the same
// pipeline as all others. Methods that it does not have go on to Next.
type Local struct {
	methods map[string]localMethod
	Next    func() (grpc.ClientConnInterface, error)
}

type localMethod struct {
	server any
	call   grpc.MethodHandler
}

// RegisterService adds a service; it makes Local a grpc.ServiceRegistrar.
func (l *Local) RegisterService(d *grpc.ServiceDesc, server any) {
	if l.methods == nil {
		l.methods = map[string]localMethod{}
	}
	for _, m := range d.Methods {
		l.methods["/"+d.ServiceName+"/"+m.MethodName] = localMethod{server: server, call: m.Handler}
	}
}

// Invoke calls a method.
func (l *Local) Invoke(ctx context.Context, name string, in, out any, options ...grpc.CallOption) error {
	m, ok := l.methods[name]
	if !ok {
		next, err := l.Next()
		if err != nil {
			return err
		}
		return next.Invoke(ctx, name, in, out, options...)
	}
	reply, err := m.call(m.server, ctx, func(request any) error { return carry(request, in) }, nil)
	if err != nil {
		return err
	}
	return carry(out, reply)
}

// NewStream refuses: the door carries unary calls only.
func (l *Local) NewStream(context.Context, *grpc.StreamDesc, string, ...grpc.CallOption) (grpc.ClientStream, error) {
	return nil, fmt.Errorf("a stream to a service in this process")
}

// carry copies a message; either side may be a frame.
func carry(to, from any) error {
	if f, ok := from.(*Frame); ok {
		m, ok := to.(proto.Message)
		if !ok {
			return fmt.Errorf("%T cannot take a frame", to)
		}
		return proto.Unmarshal(*f, m)
	}
	m, ok := from.(proto.Message)
	if !ok {
		return fmt.Errorf("%T is no message", from)
	}
	switch t := to.(type) {
	case *Frame:
		data, err := proto.Marshal(m)
		*t = data
		return err
	case proto.Message:
		proto.Merge(t, m)
		return nil
	}
	return fmt.Errorf("%T cannot take a message", to)
}
