package rpc

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/naksha-cloud/naksha/pkg/caller"
	"github.com/naksha-cloud/naksha/pkg/fault"
)

// unary is the chain for a unary call.
func (s *Server) unary(ctx context.Context, req any, info *grpc.UnaryServerInfo, h grpc.UnaryHandler) (any, error) {
	ctx, begin := s.arrive(ctx), s.cfg.Clock.Now()
	resp, err := s.callUnary(&ctx, req, info.FullMethod, h)
	tell(ctx, err)
	return resp, s.leave(ctx, info.FullMethod, begin, err)
}

// tell returns the request id: as a header, but as a trailer of a failure, since a client that has seen headers may not
// try again. That a client has hung up is nobody's error.
func tell(ctx context.Context, err error) {
	id := metadata.Pairs(caller.RequestIDMetadataKey, caller.RequestID(ctx))
	if err != nil {
		_ = grpc.SetTrailer(ctx, id)
		return
	}
	_ = grpc.SetHeader(ctx, id)
}

// callUnary admits, validates and handles; *ctx becomes the context with the caller, for the log.
func (s *Server) callUnary(ctx *context.Context, req any, method string, h grpc.UnaryHandler) (resp any, err error) {
	defer catch(&err)
	admitted, m, err := s.admit(*ctx, method)
	if err != nil {
		return nil, err
	}
	*ctx = admitted
	if err := s.check(admitted, m, req); err != nil {
		return nil, err
	}
	if _, ok := admitted.Deadline(); !ok {
		var cancel context.CancelFunc
		admitted, cancel = context.WithTimeout(admitted, s.cfg.Deadline)
		defer cancel()
	}
	return h(admitted, req)
}

// stream is the chain for a streaming call; it has no default deadline, since a watch may last.
func (s *Server) stream(srv any, ss grpc.ServerStream, info *grpc.StreamServerInfo, h grpc.StreamHandler) error {
	ctx, begin := s.arrive(ss.Context()), s.cfg.Clock.Now()
	_ = ss.SetHeader(metadata.Pairs(caller.RequestIDMetadataKey, caller.RequestID(ctx)))
	err := s.callStream(&ctx, srv, ss, info.FullMethod, h)
	return s.leave(ctx, info.FullMethod, begin, err)
}

func (s *Server) callStream(ctx *context.Context, srv any, ss grpc.ServerStream, method string, h grpc.StreamHandler) (err error) {
	defer catch(&err)
	admitted, m, err := s.admit(*ctx, method)
	if err != nil {
		return err
	}
	*ctx = admitted
	return h(srv, &checkedStream{ServerStream: ss, ctx: admitted, server: s, method: m})
}

// checkedStream checks each request of a stream as it arrives.
type checkedStream struct {
	grpc.ServerStream
	ctx    context.Context
	server *Server
	method Method
}

// Context is the stream's context with the caller.
func (c *checkedStream) Context() context.Context { return c.ctx }

// RecvMsg receives and checks one request.
func (c *checkedStream) RecvMsg(m any) error {
	if err := c.ServerStream.RecvMsg(m); err != nil {
		return err
	}
	return c.server.check(c.ctx, c.method, m)
}

// arrive gives the call its request id.
func (s *Server) arrive(ctx context.Context) context.Context {
	md, _ := metadata.FromIncomingContext(ctx)
	return caller.WithRequestID(ctx, caller.RequestIDFrom(md))
}

// admit finds out who calls, and whether it may call method.
func (s *Server) admit(ctx context.Context, method string) (context.Context, Method, error) {
	if exempt(method) {
		return ctx, Method{FullName: method}, nil
	}
	m, ok := s.methods[method]
	if !ok {
		return ctx, m, fault.Denied("METHOD_NOT_DECLARED", "This method is not open to anybody.")
	}
	c, err := s.cfg.Trust(ctx, m)
	if err != nil {
		return ctx, m, err
	}
	c.RequestID = caller.RequestID(ctx)
	return caller.With(ctx, c), m, nil
}

// check refuses a request for another workspace and one that breaks its proto's rules.
func (s *Server) check(ctx context.Context, m Method, req any) error {
	if c, ok := caller.From(ctx); ok {
		if err := checkWorkspace(c, m, req); err != nil {
			return err
		}
	}
	return validate(req)
}

// exempt methods tell nothing of the platform's data; mutual TLS guards them all the same.
func exempt(method string) bool {
	return strings.HasPrefix(method, "/grpc.health.v1.") || strings.HasPrefix(method, "/grpc.reflection.")
}

// panicked is a panic as an error, so that it is logged where all errors are.
type panicked struct {
	value any
	stack []byte
}

// Error says what was panicked with.
func (p *panicked) Error() string { return fmt.Sprintf("panic: %v", p.value) }

// catch, deferred, turns a panic into an error.
func catch(err *error) {
	if p := recover(); p != nil {
		*err = &panicked{value: p, stack: debug.Stack()}
	}
}

// leave logs the call, once, and turns its error into the status that the caller sees.
func (s *Server) leave(ctx context.Context, method string, begin time.Time, err error) error {
	elapsed := s.cfg.Clock.Now().Sub(begin)
	if err == nil {
		s.cfg.Telemetry.Log.DebugContext(ctx, "rpc done", "method", method, "code", codes.OK.String(), "duration", elapsed)
		return nil
	}
	f := outward(err, caller.RequestID(ctx))
	attrs := []any{"method", method, "code", f.Code.String(), "reason", f.Reason, "duration", elapsed, "error", err}
	if p := (*panicked)(nil); errors.As(err, &p) {
		attrs = append(attrs, "stack", string(p.stack))
	}
	if serverFault(f.Code) {
		s.cfg.Telemetry.Log.ErrorContext(ctx, "rpc failed", attrs...)
	} else {
		s.cfg.Telemetry.Log.InfoContext(ctx, "rpc refused", attrs...)
	}
	return f.Status(caller.RequestID(ctx)).Err()
}

// registered lists the declared methods among those of services; a naksha.* method without a declaration is an error.
func registered(services map[string]grpc.ServiceInfo, files *protoregistry.Files) (map[string]Method, error) {
	all, err := Methods(files)
	if err != nil {
		return nil, err
	}
	methods := map[string]Method{}
	for service, info := range services {
		for _, m := range info.Methods {
			name := "/" + service + "/" + m.Name
			if exempt(name) {
				continue
			}
			declared, ok := all[name]
			if !ok {
				return nil, fmt.Errorf("%s is registered, but its proto declares no access", name)
			}
			methods[name] = declared
		}
	}
	return methods, nil
}
