package tenant

import (
	"context"
	"time"

	"github.com/naksha-cloud/naksha/pkg/run"
	tenantv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/tenant/v1"
	"github.com/naksha-cloud/naksha/services/tenant/internal/api"
	"github.com/naksha-cloud/naksha/services/tenant/internal/authenticate"
	"github.com/naksha-cloud/naksha/services/tenant/internal/claim"
	"github.com/naksha-cloud/naksha/services/tenant/internal/enforce"
	"github.com/naksha-cloud/naksha/services/tenant/internal/issue"
	"github.com/naksha-cloud/naksha/services/tenant/internal/loginops"
	"github.com/naksha-cloud/naksha/services/tenant/internal/provision"
	"github.com/naksha-cloud/naksha/services/tenant/internal/stage"
	"github.com/naksha-cloud/naksha/services/tenant/internal/watch"
	"github.com/naksha-cloud/naksha/services/tenant/internal/worker"
	"github.com/naksha-cloud/naksha/services/tenant/internal/workspace"
)

// How often background work looks for itself; it is woken when there is some.
const (
	refillEvery   = 5 * time.Second
	enforceEvery  = 5 * time.Second
	withholdEvery = 10 * time.Minute
)

// crew are the verbs of one instance, and the workers that repeat some of them.
type crew struct {
	builder    *provision.Builder
	refiller   *provision.Refiller
	reconciler *provision.Reconciler
	claimer    *claim.Claimer
	issuer     *issue.Issuer
	operator   *loginops.Operator
	stager     *stage.Stager
	enforcer   *enforce.Enforcer
	watcher    *watch.Watcher

	refill, reconcile, enforce, sample, watch, withhold *worker.Worker
}

// hire makes the verbs out of the adapters.
func (s *Service) hire(r reports) *crew {
	c := &crew{
		issuer:   &issue.Issuer{Store: s.store, Vault: s.vault},
		operator: &loginops.Operator{Journal: s.store, Cell: s.cell, Server: s.noun.Server},
		stager:   &stage.Stager{Journal: s.store, Cell: s.cell},
		enforcer: &enforce.Enforcer{Record: s.store, Cell: s.cell},
		watcher:  &watch.Watcher{Cell: s.cell, Clock: s.core.Clock, Ended: r.ended, Log: s.core.Log},
		reconciler: &provision.Reconciler{
			Record: s.store, CellID: s.noun.ID, Log: s.core.Log, Places: map[string]provision.Place{provision.CellPlace: s.cell},
		},
	}
	var places []provision.Region
	for _, region := range s.regions {
		places = append(places, region)
		c.enforcer.Regions = append(c.enforcer.Regions, region)
		c.reconciler.Places[region.Name()] = region
	}
	c.builder = provision.NewBuilder(provision.Config{
		Slots: s.store, Cell: s.cell, Regions: places, Vault: s.vault, CellID: s.noun.ID, Inline: s.config.Slots.Inline,
		Wake: func() { c.refill.Wake(); c.enforce.Wake() },
	})
	c.refiller = &provision.Refiller{Builder: c.builder, LowWater: s.config.Slots.LowWater, Workers: s.config.Slots.Workers}
	c.claimer = &claim.Claimer{Store: s.store, Builder: c.builder, Vault: s.vault, Cell: s.noun, Wait: s.config.Slots.Wait}
	s.employ(c, r)
	return c
}

// employ makes the workers.
func (s *Service) employ(c *crew, r reports) {
	repeat := func(name string, every time.Duration, act func(context.Context) error) *worker.Worker {
		return worker.New(name, every, s.core.Clock, s.core.Log, act)
	}
	c.refill = repeat("refill", refillEvery, c.refiller.Refill)
	c.reconcile = repeat("reconcile", s.config.Slots.ReconcileEvery, func(ctx context.Context) error {
		findings, err := c.reconciler.Reconcile(ctx)
		r.found(ctx, findings)
		if len(findings) > 0 {
			c.refill.Wake()
			c.enforce.Wake()
		}
		return err
	})
	c.enforce = repeat("enforce", enforceEvery, c.enforcer.Enforce)
	c.sample = repeat("sample", s.config.Cell.SampleEvery, c.operator.Sample)
	c.watch = repeat("watch", 0, c.watcher.Watch) // it rests by itself
	c.withhold = repeat("withhold", withholdEvery, s.store.WithholdReplies)
}

func (c *crew) components() []run.Component {
	return []run.Component{
		run.Named("reconciler", c.reconcile), run.Named("refiller", c.refill), run.Named("enforcer", c.enforce),
		run.Named("sampler", c.sample), run.Named("watcher", c.watch), run.Named("withholder", c.withhold),
	}
}

func (s *Service) workspaceAPI() *api.Workspaces {
	return &api.Workspaces{Creator: s.crew.claimer, Store: s.store, Endpoints: s.endpoints, Deleted: s.crew.enforce.Wake}
}

func (s *Service) keyAPI() *api.Keys {
	return &api.Keys{
		Issuer: s.crew.issuer, Store: s.store, Authenticator: &authenticate.Authenticator{Store: s.store, Peppers: s.vault},
	}
}

func (s *Service) cellAPI() *api.Cells {
	return &api.Cells{Cell: s.noun, Operator: s.crew.operator, Stager: s.crew.stager, Store: s.store}
}

// endpoints are where a workspace's clients connect.
func (s *Service) endpoints(ref string) *tenantv1.Endpoints {
	regions := map[string]string{}
	for name, region := range s.config.Regions.byName() {
		regions[name] = region.public()
	}
	return &tenantv1.Endpoints{
		DatabaseHost: s.noun.Host, DatabasePort: int32(s.noun.Port), DatabaseName: s.noun.Database,
		DatabaseSchema: workspace.Schema(ref), CaCertificate: s.vault.ca(), S3Endpoints: regions, Bucket: workspace.Bucket(ref),
	}
}
