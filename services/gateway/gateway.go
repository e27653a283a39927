// Package gateway is the platform's only door: it finds out who calls, decides by the permission that each RPC's proto
// declares whether the call may pass, and forwards it to the service that owns it. It speaks gRPC and REST on one port.
// It refuses what nobody declared, and it holds no state of any other service.
package gateway

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"

	"google.golang.org/grpc"

	"github.com/naksha-cloud/naksha/pkg/rpc"
	"github.com/naksha-cloud/naksha/pkg/run"
	"github.com/naksha-cloud/naksha/pkg/service"
	"github.com/naksha-cloud/naksha/services/gateway/internal/api/door"
	"github.com/naksha-cloud/naksha/services/gateway/internal/authenticate"
	"github.com/naksha-cloud/naksha/services/gateway/internal/spike"
	"github.com/naksha-cloud/naksha/services/gateway/internal/watch"
)

// Name is the service's name.
const Name = "gateway"

// Deps are handed in by main, or by a process that runs several services.
type Deps = service.Deps

// Service is the gateway.
type Service struct {
	config      Config
	core        *service.Core
	cache       *authenticate.Cache
	window      *spike.Window
	attempts    *door.Attempts
	revocations *watch.Revocations
	door        *door.Door
	group       *run.Group

	mu   sync.Mutex
	self *grpc.ClientConn // to the internal server of this process; nil while stopped
}

// New makes a stopped Service. It does no I/O.
func New(c Config, d Deps) (*Service, error) {
	if err := c.Validate(); err != nil {
		return nil, fmt.Errorf("%s: %w", Name, err)
	}
	core, err := service.New(Name, c.Config, d)
	if err != nil {
		return nil, err
	}
	s := &Service{
		config: c, core: core, window: &spike.Window{},
		cache: authenticate.NewCache(c.KeyCacheTTL, c.KeyCacheSize),
	}
	if s.attempts, err = door.NewAttempts(core.Telemetry()); err != nil {
		return nil, err
	}
	s.assemble()
	if s.door, err = s.newDoor(); err != nil {
		return nil, err
	}
	s.group = run.NewGroup(
		run.Named("core", core),
		run.Named("self", run.Func(s.dialSelf, s.closeSelf)),
		run.Named("door", s.door),
	)
	return s, nil
}

// peer is the connection to another service.
func (s *Service) peer(name string) (grpc.ClientConnInterface, error) { return s.core.Peer(name) }

// ownConn is the connection to this process's own internal server, which serves the gateway's record of facts.
func (s *Service) ownConn() (grpc.ClientConnInterface, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.self == nil {
		return nil, errors.New("the gateway is stopped")
	}
	return s.self, nil
}

func (s *Service) dialSelf(context.Context) error {
	config, err := rpc.ClientTLS(s.config.TLS, Name)
	if err != nil {
		return err
	}
	conn, err := rpc.Dial(s.core.Addr(), rpc.ClientConfig{TLS: config, Name: Name, Telemetry: s.core.Telemetry()})
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.self = conn
	return nil
}

func (s *Service) closeSelf(context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.self == nil {
		return nil
	}
	err := s.self.Close()
	s.self = nil
	return err
}

// version is that of the program that the gateway is part of.
func (s *Service) version() string { return cmp.Or(s.core.Telemetry().Version(), "dev") }

// Start starts every part and then opens the door. After an error nothing runs, and Start may be called again.
func (s *Service) Start(ctx context.Context) error { return s.group.Start(ctx) }

// Stop closes the door, lets running calls end, and stops everything else. A second Stop does nothing.
func (s *Service) Stop(ctx context.Context) error { return s.group.Stop(ctx) }

// Ready says why the gateway cannot do its work right now, or nil.
func (s *Service) Ready(ctx context.Context) error {
	if s.door.Addr() == "" {
		return errors.New("the door is closed")
	}
	return s.core.Ready(ctx)
}

// Addr is where the internal server listens, host:port; empty while stopped.
func (s *Service) Addr() string { return s.core.Addr() }

// DoorAddr is where the door listens, host:port; empty while closed.
func (s *Service) DoorAddr() string { return s.door.Addr() }
