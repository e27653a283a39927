// Package backup is the service that owns copies of workspaces and restores from them. A snapshot is one moment of one
// workspace, written to two regions independently and read back before it is called verified; a restore is loaded beside
// the live data, compared, then swapped, and can be undone. It never changes a cell by itself: the tenant service does, on
// its order.
package backup

import (
	"context"
	"errors"

	"google.golang.org/grpc"

	"github.com/naksha-cloud/naksha/pkg/run"
	"github.com/naksha-cloud/naksha/pkg/service"
	backupv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/backup/v1"
	"github.com/naksha-cloud/naksha/services/backup/internal/api"
	"github.com/naksha-cloud/naksha/services/backup/internal/event"
	"github.com/naksha-cloud/naksha/services/backup/internal/peer"
	"github.com/naksha-cloud/naksha/services/backup/internal/region"
	"github.com/naksha-cloud/naksha/services/backup/internal/store"
)

// Deps are handed in by main, or by a process that runs several services.
type Deps = service.Deps

// Service is one instance.
type Service struct {
	config  Config
	core    *service.Core
	regions region.Set
	store   *store.Store
	peers   peer.Peers
	crew    *crew
}

// New makes a stopped Service. It does no I/O.
func New(c Config, d Deps) (*Service, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	core, err := service.New("backup", c.Config, d)
	if err != nil {
		return nil, err
	}
	s := &Service{config: c, core: core, peers: peer.New(core.Peer, c.PgDump)}
	if s.regions, err = c.Regions.open(); err != nil {
		return nil, err
	}
	s.store = store.New(core.Pool, event.Emitter(core.Outbox))
	s.crew = s.hire()
	migrations, err := store.Migrations()
	if err != nil {
		return nil, err
	}
	core.Assemble(service.Parts{
		Migrations: migrations,
		Register:   s.register,
		Reactions:  event.Reactions(s.store, s.crew.redeem),
		Workers:    []run.Component{run.Named("regions", run.Func(nil, s.leaveRegions)), run.Named("workers", s.crew)},
	})
	return s, nil
}

// register adds the RPCs.
func (s *Service) register(r grpc.ServiceRegistrar) {
	backupv1.RegisterSnapshotServiceServer(r, api.Snapshots{Store: s.store, Tenants: s.peers, Kick: s.crew.snapshot})
	backupv1.RegisterRestoreServiceServer(r, api.Restores{Store: s.store, Clock: s.core.Clock, Kick: s.crew.restore})
}

// Start starts every part in order. After a failed start it may be called again.
func (s *Service) Start(ctx context.Context) error { return s.core.Start(ctx) }

// Stop stops every part in reverse order; running jobs are given back. A second Stop does nothing.
func (s *Service) Stop(ctx context.Context) error { return s.core.Stop(ctx) }

// Ready says why the service cannot do its work right now, or nil. One region of two is enough to work.
func (s *Service) Ready(ctx context.Context) error {
	if err := s.core.Ready(ctx); err != nil {
		return err
	}
	var errs []error
	for _, r := range s.regions {
		err := r.Store.Ready(ctx)
		if err == nil {
			return nil
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// Addr is where the server listens, host:port; empty while stopped.
func (s *Service) Addr() string { return s.core.Addr() }

func (s *Service) leaveRegions(context.Context) error {
	for _, r := range s.regions {
		r.Store.Close()
	}
	return nil
}
