// Package rotation is the rotation service: it owns credentials' generations and their custody, and replaces them with
// proof that the new one is in use and the old one is dead. It refuses to touch the old one before that. README.md is its
// charter.
package rotation

import (
	"context"
	"fmt"

	"google.golang.org/grpc"

	"github.com/naksha-cloud/naksha/pkg/pg"
	"github.com/naksha-cloud/naksha/pkg/run"
	"github.com/naksha-cloud/naksha/pkg/seal"
	"github.com/naksha-cloud/naksha/pkg/service"
	tenantv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/tenant/v1"
	"github.com/naksha-cloud/naksha/services/rotation/internal/api"
	"github.com/naksha-cloud/naksha/services/rotation/internal/credential"
	"github.com/naksha-cloud/naksha/services/rotation/internal/custody"
	"github.com/naksha-cloud/naksha/services/rotation/internal/event"
	"github.com/naksha-cloud/naksha/services/rotation/internal/kind/postgres"
	"github.com/naksha-cloud/naksha/services/rotation/internal/rotate"
	"github.com/naksha-cloud/naksha/services/rotation/internal/store"
)

// Deps are handed in by main, or by a process that runs several services.
type Deps = service.Deps

// name is the service's: of its stream, its NATS user, its certificate.
const name = "rotation"

// Service is one replica of the rotation service. It can be started again after it was stopped.
type Service struct {
	config Config
	core   *service.Core
	run    *run.Group
}

// New makes a stopped Service. It does no I/O.
func New(c Config, d Deps) (*Service, error) {
	if err := c.Validate(); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	core, err := service.New(name, c.Config, d)
	if err != nil {
		return nil, err
	}
	s := &Service{config: c, core: core}
	s.run = run.NewGroup(run.Named("root key", run.Func(s.assemble, nil)), run.Named("core", core))
	return s, nil
}

// Start starts every part in order. After an error nothing runs, and Start may be called again.
func (s *Service) Start(ctx context.Context) error { return s.run.Start(ctx) }

// Stop stops every part in reverse order; the rotations in hand are given back. A second Stop does nothing.
func (s *Service) Stop(ctx context.Context) error { return s.run.Stop(ctx) }

// Ready says why the service cannot do its work right now, or nil.
func (s *Service) Ready(ctx context.Context) error { return s.core.Ready(ctx) }

// Addr is where the gRPC server listens, host:port; empty while stopped.
func (s *Service) Addr() string { return s.core.Addr() }

// assemble reads the root key and puts the parts together. It runs at each start, since the key's file may be made after
// New.
func (s *Service) assemble(context.Context) error {
	root, err := seal.ReadRoot(s.config.RootKeyFile)
	if err != nil {
		return err
	}
	box, err := root.Box(name)
	if err != nil {
		return err
	}
	emit := event.Emitter(s.core.Outbox)
	kept := store.New(s.core.Pool, box, emit)
	driver := postgres.New(s.cells, postgres.Dial)
	worker, err := s.worker(kept, driver)
	if err != nil {
		return err
	}
	keeper := s.custody(kept, driver, emit, worker.Kick)
	s.core.Assemble(service.Parts{
		Migrations: store.Migrations(),
		Register:   func(r grpc.ServiceRegistrar) { api.Register(r, keeper, kept) },
		Reactions:  event.Reactions(keeper),
		Workers:    []run.Component{run.Named("rotations", worker)},
	})
	return nil
}

func (s *Service) worker(kept *store.Store, driver *postgres.Driver) (*rotate.Worker, error) {
	engine, err := rotate.NewEngine(rotate.EngineDeps{
		Journal: kept, Clock: s.core.Clock, Telemetry: s.core.Telemetry(),
		Drivers: map[credential.Kind]rotate.Driver{credential.Database: driver, credential.BackupReader: driver},
	})
	if err != nil {
		return nil, err
	}
	return rotate.NewWorker(engine, rotate.WorkerConfig{Owner: name, Lease: s.config.Lease, Limit: s.config.Concurrency}), nil
}

func (s *Service) custody(kept *store.Store, driver *postgres.Driver,
	emit func(context.Context, *pg.Tx, any) error, kick func(),
) *custody.Custody {
	return custody.New(custody.Config{QuietWindow: s.config.QuietWindow, Deadline: s.config.Deadline}, custody.Deps{
		Store: kept, Emit: emit, Kick: kick, Log: s.core.Log,
		Locators: map[credential.Kind]custody.Locator{credential.Database: driver, credential.BackupReader: driver},
	})
}

// cells is tenant's service for orders on cells.
func (s *Service) cells() (tenantv1.CellServiceClient, error) {
	conn, err := s.core.Peer("tenant")
	if err != nil {
		return nil, err
	}
	return tenantv1.NewCellServiceClient(conn), nil
}
