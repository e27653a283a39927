package up

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/naksha-cloud/naksha/pkg/conf"
	"github.com/naksha-cloud/naksha/pkg/local"
	"github.com/naksha-cloud/naksha/pkg/obs"
	"github.com/naksha-cloud/naksha/pkg/service"
	"github.com/naksha-cloud/naksha/services/alerting"
	"github.com/naksha-cloud/naksha/services/backup"
	"github.com/naksha-cloud/naksha/services/gateway"
	"github.com/naksha-cloud/naksha/services/rotation"
	"github.com/naksha-cloud/naksha/services/tenant"
)

// startServices starts the five in an order that differs each time.
func (p *Platform) startServices(ctx context.Context) error {
	build := map[string]func(context.Context, service.Config, service.Deps) (component, error){
		"tenant": p.tenant, "gateway": p.gateway, "backup": p.backup, "rotation": p.rotation, "alerting": p.alerting,
	}
	for _, name := range shuffled() {
		common, deps, err := p.common(name)
		var s component
		if err == nil {
			s, err = build[name](ctx, common, deps)
		}
		if err == nil {
			err = s.Start(ctx)
		}
		if err == nil {
			p.live.Lock()
			p.services[name] = s
			p.live.Unlock()
		} else {
			return errors.Join(fmt.Errorf("service %s: %w", name, err), p.stopServices(context.WithoutCancel(ctx)))
		}
	}
	return nil
}

// stopServices stops all at the same time: each is to bear the absence of the others.
func (p *Platform) stopServices(ctx context.Context) error {
	p.live.Lock()
	services := p.services
	p.services = map[string]component{}
	p.live.Unlock()
	errs := make(chan error, len(services))
	for name, s := range services {
		go func() {
			if err := s.Stop(ctx); err != nil {
				errs <- fmt.Errorf("service %s: %w", name, err)
				return
			}
			errs <- nil
		}()
	}
	var all []error
	for range services {
		all = append(all, <-errs)
	}
	return errors.Join(all...)
}

// common is what every service is told and handed.
func (p *Platform) common(name string) (service.Config, service.Deps, error) {
	files, err := p.state.certificate(name)
	if err != nil {
		return service.Config{}, service.Deps{}, err
	}
	c := service.DefaultConfig()
	c.DatabaseURL = conf.Secret(p.databaseURL(name))
	c.NATSURL = p.nats.URL()
	c.NATSPassword = conf.Secret(p.state.password("nats/" + name))
	c.TLS = files
	c.Peers = map[string]string{}
	for peer, l := range p.listeners {
		c.Peers[peer] = l.Addr().String()
	}
	c.Listen = p.listeners[name].Addr().String()
	return c, service.Deps{Telemetry: p.telemetry[name], Listener: p.listeners[name]}, nil
}

func (p *Platform) tenant(_ context.Context, common service.Config, deps service.Deps) (component, error) {
	c := tenant.DefaultConfig()
	c.Config = common
	c.RootKeyFile = p.state.path(fileRootKey)
	c.AdminKeyFile = p.state.path(fileAdminKey)
	c.Cell.URL = conf.Secret(p.cell.Load().URL(ddlRole, p.state.password("cell/"+ddlRole), cellName))
	c.Regions = tenant.Regions{Primary: p.tenantRegion(p.primary.Load()), DR: p.tenantRegion(p.dr.Load())}
	if p.config.Slots > 0 {
		c.Slots.LowWater = p.config.Slots
	}
	return tenant.New(c, deps)
}

// tenantRegion is a region with the key that may make buckets and users.
func (p *Platform) tenantRegion(r *local.Region) tenant.Region {
	return tenant.Region{
		Endpoint: r.Endpoint(), IAMEndpoint: r.IAMEndpoint(), AccessKey: rootAccess,
		SecretKey: conf.Secret(p.state.password("s3/" + r.Name())),
	}
}

func (p *Platform) gateway(_ context.Context, common service.Config, deps service.Deps) (component, error) {
	c := gateway.DefaultConfig()
	c.Config = common
	c.DoorListen = p.address(p.config.Ports.Gateway)
	return gateway.New(c, deps)
}

func (p *Platform) rotation(_ context.Context, common service.Config, deps service.Deps) (component, error) {
	c := rotation.DefaultConfig()
	c.Config = common
	c.RootKeyFile = p.state.path(fileRootKey)
	return rotation.New(c, deps)
}

func (p *Platform) backup(ctx context.Context, common service.Config, deps service.Deps) (component, error) {
	c := backup.DefaultConfig()
	c.Config = common
	c.RootKeyFile = p.state.path(fileRootKey)
	for region, to := range map[*local.Region]*backup.Region{
		p.primary.Load(): &c.Regions.Primary, p.dr.Load(): &c.Regions.DR,
	} {
		key, err := p.backupKey(ctx, region, to.Bucket)
		if err != nil {
			return nil, err
		}
		to.Endpoint, to.AccessKey, to.SecretKey = region.Endpoint(), key.ID, key.Secret
	}
	return backup.New(c, deps)
}

func (p *Platform) alerting(_ context.Context, common service.Config, deps service.Deps) (component, error) {
	c := alerting.DefaultConfig()
	if p.config.Alerting != "" {
		err := conf.Load(&c, conf.Options{Prefix: "NAKSHA_ALERTING", File: p.config.Alerting, Environ: os.Environ()})
		if err != nil {
			return nil, err
		}
	}
	c.Config = common
	c.HTTPListen = p.address(p.config.Ports.Alerting)
	return alerting.New(c, deps)
}

// startAdmin serves metrics and health of everything in this process.
func (p *Platform) startAdmin(ctx context.Context) error {
	sources := []obs.Source{{Telemetry: p.telemetry["up"]}}
	for _, name := range Services {
		check := obs.Check{Name: name, Ready: func(ctx context.Context) error { return p.serviceReady(ctx, name) }}
		sources = append(sources, obs.Source{Telemetry: p.telemetry[name], Checks: []obs.Check{check}})
	}
	p.admin = obs.NewAdmin(obs.AdminConfig{Addr: p.address(p.config.Ports.Admin), Log: p.log("up")}, sources...)
	return p.admin.Start(ctx)
}

func (p *Platform) stopAdmin(ctx context.Context) error { return p.admin.Stop(ctx) }

// Endpoints are where the started platform answers.
func (p *Platform) Endpoints() Endpoints {
	c := p.config.Ports
	return Endpoints{
		Gateway: "https://" + p.address(c.Gateway), CAFile: p.state.pki.CAFile(), AdminKeyFile: p.state.path(fileAdminKey),
		NATS: "nats://" + p.address(c.NATS), Cell: p.address(c.Cell),
		S3Primary: "http://" + p.address(c.Primary), S3DR: "http://" + p.address(c.DR),
		Alerting: "http://" + p.address(c.Alerting), Admin: "http://" + p.address(c.Admin),
		PID: os.Getpid(), Version: p.config.Version,
	}
}

// Restart stops the services and starts them again, in another order, while the servers stay.
func (p *Platform) Restart(ctx context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.group == nil {
		return errors.New("the platform does not run")
	}
	if err := p.stopServices(ctx); err != nil {
		return err
	}
	if err := p.relisten(ctx); err != nil {
		return err
	}
	if err := p.startServices(ctx); err != nil {
		return err
	}
	return p.awaitReady(ctx)
}
