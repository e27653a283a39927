// Package tenant is the service that owns workspaces, slots, cells, plans and API keys. A workspace is created in one
// small transaction, since everything of it was made before; an id is never reused; a deletion is a tombstone first. The
// service alone holds a cell's DDL login: backup and rotation ask it by RPC. It reads and keeps no customer's rows.
package tenant

import (
	"context"

	"google.golang.org/grpc"

	"github.com/naksha-cloud/naksha/pkg/obs"
	"github.com/naksha-cloud/naksha/pkg/outbox"
	"github.com/naksha-cloud/naksha/pkg/pg"
	"github.com/naksha-cloud/naksha/pkg/run"
	"github.com/naksha-cloud/naksha/pkg/service"
	tenantv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/tenant/v1"
	"github.com/naksha-cloud/naksha/services/tenant/internal/cell"
	"github.com/naksha-cloud/naksha/services/tenant/internal/event"
	"github.com/naksha-cloud/naksha/services/tenant/internal/store"
	"github.com/naksha-cloud/naksha/services/tenant/internal/store/bucketstore"
	"github.com/naksha-cloud/naksha/services/tenant/internal/store/cellstore"
)

// Deps are handed in by main, or by a process that runs several services.
type Deps = service.Deps

// Service is one instance.
type Service struct {
	config  Config
	core    *service.Core
	vault   *vault
	noun    cell.Cell
	store   *store.Store
	cell    *cellstore.Cell
	regions []*bucketstore.Region
	crew    *crew
}

// New makes a stopped Service. It does no I/O.
func New(c Config, d Deps) (*Service, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	core, err := service.New("tenant", c.Config, d)
	if err != nil {
		return nil, err
	}
	s := &Service{config: c, core: core, vault: &vault{rootFile: c.RootKeyFile, caFile: c.Cell.CAFile}}
	if s.vault.caFile == "" {
		s.vault.caFile = c.TLS.CAFile
	}
	if s.noun, err = c.Cell.noun(); err != nil {
		return nil, err
	}
	s.store = store.New(core.Pool, event.Emitter{Outbox: core.Outbox}.Emit)
	if err := s.openPlaces(); err != nil {
		return nil, err
	}
	reports, err := s.measure()
	if err != nil {
		return nil, err
	}
	s.crew = s.hire(reports)
	core.Assemble(service.Parts{
		Migrations: store.Migrations(),
		Register:   s.register,
		Reactions:  map[string][]outbox.Reaction{"rotation": {event.OnCredentialPromoted(s.store)}},
		Snapshots:  event.Snapshots(s.store),
		Workers:    s.workers(),
	})
	return s, nil
}

// openPlaces makes the adapters of the cell and the regions; they connect at their first use.
func (s *Service) openPlaces() error {
	c := s.config
	s.cell = cellstore.New(cellstore.Config{
		Pool: pg.New(pg.Config{
			URL: c.Cell.URL.Reveal(), MaxConns: c.Cell.Max, Clock: s.core.Clock, Tracer: obs.PgxTracer(s.core.Telemetry()),
		}),
		Server: c.Cell.Server, LockWait: c.Swap.LockWait, Deadline: c.Swap.Deadline,
	})
	for _, name := range []string{"primary", "dr"} {
		region, err := bucketstore.Open(c.Regions.byName()[name].config(name))
		if err != nil {
			return err
		}
		s.regions = append(s.regions, region)
	}
	return nil
}

// workers are started in this order, before the server.
func (s *Service) workers() []run.Component {
	components := []run.Component{
		run.Named("root key", s.vault),
		run.Named("cell", s.cell),
	}
	for _, region := range s.regions {
		components = append(components, run.Named("region "+region.Name(), region))
	}
	components = append(components, run.Named("admin key", run.Func(func(ctx context.Context) error {
		return s.crew.issuer.Admin(ctx, s.config.AdminKeyFile, s.config.adminKeysSince())
	}, nil)))
	return append(components, s.crew.components()...)
}

// register adds the RPCs.
func (s *Service) register(r grpc.ServiceRegistrar) {
	tenantv1.RegisterWorkspaceServiceServer(r, s.workspaceAPI())
	tenantv1.RegisterKeyServiceServer(r, s.keyAPI())
	tenantv1.RegisterCellServiceServer(r, s.cellAPI())
}

// Start starts every part in order. After a failed start it may be called again.
func (s *Service) Start(ctx context.Context) error { return s.core.Start(ctx) }

// Stop stops every part in reverse order. A second Stop does nothing.
func (s *Service) Stop(ctx context.Context) error { return s.core.Stop(ctx) }

// Ready says why the service cannot do its work right now, or nil. A cell that is down is told as well: nothing can be
// provisioned, while keys are still checked.
func (s *Service) Ready(ctx context.Context) error {
	if err := s.core.Ready(ctx); err != nil {
		return err
	}
	return s.cell.Ready(ctx)
}

// Addr is where the server listens, host:port; empty while stopped.
func (s *Service) Addr() string { return s.core.Addr() }
