// Package rpc is gRPC between the services: one server, one client, and the one chain that every call passes — recover,
// trace, request id, log, who calls, may it, is the request valid, deadline, error to status. Mutual TLS always. It
// refuses a naksha.* method that nobody declared access to, a caller that the method does not list, and an error that
// would leak what is inside.
package rpc

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"go.opentelemetry.io/contrib/instrumentation/google.golang.org/grpc/otelgrpc"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/health"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/reflection"
	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/naksha-cloud/naksha/pkg/clock"
	"github.com/naksha-cloud/naksha/pkg/obs"
)

// Defaults of ServerConfig.
const (
	defaultMaxRecv  = 4 << 20
	defaultDeadline = 30 * time.Second
	stopWait        = 5 * time.Second // that long running calls may go on after Stop; a watch would never end
)

// ServerConfig says how a Server listens and whom it trusts.
type ServerConfig struct {
	Name      string               // the service, e.g. "tenant"
	Addr      string               // host:port for Start; port 0 picks a free one
	Listener  net.Listener         // for Start, instead of Addr
	TLS       *tls.Config          // required; see ServerTLS
	Telemetry *obs.Telemetry       // required
	Clock     clock.Clock          // default: the system's
	MaxRecv   int                  // largest message in bytes; default 4 MiB
	Deadline  time.Duration        // of a unary call that brings none; default 30 s
	Trust     Trust                // default TrustCertificates
	Files     *protoregistry.Files // where methods' options are read; default: those linked into the binary
}

// Server is a gRPC server with the chain. Register services on GRPC, then Start.
type Server struct {
	cfg    ServerConfig
	grpc   *grpc.Server
	health *health.Server

	mu      sync.Mutex
	methods map[string]Method // registered methods that declare access; written once, before serving
	addr    net.Addr
	done    chan struct{} // closed when Serve has returned; nil before Start
	err     error
	stopped bool
}

// NewServer returns a Server; mistakes in cfg and in the registered services are reported by Start.
func NewServer(cfg ServerConfig) *Server {
	if cfg.Clock == nil {
		cfg.Clock = clock.System()
	}
	if cfg.MaxRecv == 0 {
		cfg.MaxRecv = defaultMaxRecv
	}
	if cfg.Deadline == 0 {
		cfg.Deadline = defaultDeadline
	}
	if cfg.Trust == nil {
		cfg.Trust = TrustCertificates
	}
	if cfg.Files == nil {
		cfg.Files = protoregistry.GlobalFiles
	}
	if cfg.Telemetry == nil {
		cfg.Telemetry = obs.Discard()
	}
	s := &Server{cfg: cfg, health: health.NewServer()}
	s.grpc = grpc.NewServer(s.options()...)
	healthv1.RegisterHealthServer(s.grpc, s.health)
	reflection.Register(s.grpc)
	return s
}

func (s *Server) options() []grpc.ServerOption {
	t := s.cfg.Telemetry
	options := []grpc.ServerOption{
		grpc.StatsHandler(otelgrpc.NewServerHandler(otelgrpc.WithTracerProvider(t.Tracer),
			otelgrpc.WithMeterProvider(t.Meter), otelgrpc.WithPropagators(t.Propagator))),
		grpc.UnaryInterceptor(s.unary),
		grpc.StreamInterceptor(s.stream),
		grpc.MaxRecvMsgSize(s.cfg.MaxRecv),
		grpc.KeepaliveParams(keepalive.ServerParameters{Time: time.Minute, Timeout: 20 * time.Second}),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: 10 * time.Second, PermitWithoutStream: true}),
	}
	if s.cfg.TLS != nil {
		options = append(options, grpc.Creds(credentials.NewTLS(s.cfg.TLS)))
	}
	return options
}

// GRPC is where services are registered, before Start.
func (s *Server) GRPC() *grpc.Server { return s.grpc }

// Start listens and serves in the background.
func (s *Server) Start(ctx context.Context) error {
	lis := s.cfg.Listener
	if lis == nil {
		var lc net.ListenConfig
		var err error
		if lis, err = lc.Listen(ctx, "tcp", s.cfg.Addr); err != nil {
			return fmt.Errorf("listen for %s: %w", s.cfg.Name, err)
		}
	}
	if err := s.open(lis.Addr()); err != nil {
		return errors.Join(err, lis.Close())
	}
	go func() { _ = s.run(lis) }() // Err keeps the result
	return nil
}

// Serve serves on lis until Stop, for callers with a goroutine of their own.
func (s *Server) Serve(lis net.Listener) error {
	if err := s.open(lis.Addr()); err != nil {
		return errors.Join(err, lis.Close())
	}
	return s.run(lis)
}

func (s *Server) run(lis net.Listener) error {
	defer close(s.done)
	if err := s.grpc.Serve(lis); err != nil && !errors.Is(err, grpc.ErrServerStopped) {
		s.err = fmt.Errorf("serve %s: %w", s.cfg.Name, err)
	}
	return s.err
}

// open checks the server and marks it as serving.
func (s *Server) open(addr net.Addr) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.done != nil || s.stopped {
		return fmt.Errorf("start server of %s: it has run already", s.cfg.Name)
	}
	if s.cfg.TLS == nil || s.cfg.TLS.ClientAuth != tls.RequireAndVerifyClientCert {
		return fmt.Errorf("start server of %s: mutual TLS is not configured", s.cfg.Name)
	}
	methods, err := registered(s.grpc.GetServiceInfo(), s.cfg.Files)
	if err != nil {
		return fmt.Errorf("start server of %s: %w", s.cfg.Name, err)
	}
	s.methods, s.addr, s.done = methods, addr, make(chan struct{})
	for name := range s.grpc.GetServiceInfo() {
		s.health.SetServingStatus(name, healthv1.HealthCheckResponse_SERVING)
	}
	return nil
}

// Addr is where a started server listens.
func (s *Server) Addr() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.addr == nil {
		return ""
	}
	return s.addr.String()
}

// Done closes when a started server has ended.
func (s *Server) Done() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.done
}

// Err says why a server whose Done is closed has ended; nil after Stop.
func (s *Server) Err() error { return s.err }

// Stop says goodbye to health watchers, lets running calls end, and cuts those that still run after 5 s or when ctx
// ends. A stopped server does not start again.
func (s *Server) Stop(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, stopWait)
	defer cancel()
	s.mu.Lock()
	done := s.done
	s.stopped = true
	s.mu.Unlock()
	s.health.Shutdown()
	graceful := make(chan struct{})
	go func() {
		defer close(graceful)
		s.grpc.GracefulStop()
	}()
	select {
	case <-graceful:
	case <-ctx.Done():
		s.grpc.Stop()
		<-graceful
	}
	if done != nil {
		<-done
	}
	return nil
}
