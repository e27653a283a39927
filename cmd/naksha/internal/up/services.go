package up

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/naksha-cloud/naksha/pkg/conf"
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
	shown, err := conf.Show(p.config.External)
	if err == nil {
		err = p.state.writeShown("up", shown)
	}
	if err != nil {
		return fmt.Errorf("note configuration: %w", err)
	}
	for _, name := range shuffled() {
		s, err := p.build(ctx, name)
		if err == nil {
			err = s.Start(ctx)
		}
		if err != nil {
			return errors.Join(fmt.Errorf("service %s: %w", name, err), p.stopServices(context.WithoutCancel(ctx)))
		}
		p.live.Lock()
		p.services[name] = s
		p.live.Unlock()
	}
	return nil
}

// build makes a stopped service with all that it is told.
func (p *Platform) build(ctx context.Context, name string) (component, error) {
	common, err := p.common(name)
	if err != nil {
		return nil, err
	}
	switch name {
	case "tenant":
		return assemble(p, name, common, p.tenant(common), tenant.New)
	case "gateway":
		return assemble(p, name, common, p.gateway(common), gateway.New)
	case "rotation":
		return assemble(p, name, common, p.rotation(common), rotation.New)
	case "backup":
		c, err := p.backup(ctx, common)
		if err != nil {
			return nil, err
		}
		return assemble(p, name, common, c, backup.New)
	default:
		c, err := p.alerting(common)
		if err != nil {
			return nil, err
		}
		return assemble(p, name, common, c, alerting.New)
	}
}

// assemble makes the service of this process, or the process that it is to be.
func assemble[C any, S component](
	p *Platform, name string, common service.Config, c C, build func(C, service.Deps) (S, error),
) (component, error) {
	shown, err := conf.Show(c)
	if err == nil {
		err = p.state.writeShown(name, shown)
	}
	if err != nil {
		return nil, fmt.Errorf("note configuration: %w", err)
	}
	if p.config.Processes {
		return newProcess(p, name, common, c), nil
	}
	return build(c, service.Deps{Telemetry: p.telemetry[name]})
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

// common is what every service is told.
func (p *Platform) common(name string) (service.Config, error) {
	files, err := p.state.certificate(name)
	if err != nil {
		return service.Config{}, err
	}
	c := service.DefaultConfig()
	c.DatabaseURL = conf.Secret(as(p.platformURL(), name, p.state.password("database/"+name), databaseName))
	c.NATSURL = p.natsURL()
	c.NATSPassword = conf.Secret(p.natsPassword(name))
	c.NATSCAFile = p.config.External.NATS.CAFile
	c.NATSReplicas = max(1, p.config.External.NATS.Replicas)
	if mb := int64(p.config.StreamMB); mb > 0 {
		c.NATSStreamMB = mb
	}
	c.TLS = files
	c.Peers = map[string]string{}
	for peer, port := range p.servicePorts {
		c.Peers[peer] = p.address(port)
	}
	c.Listen = c.Peers[name]
	return c, nil
}

func (p *Platform) tenant(common service.Config) tenant.Config {
	c := tenant.DefaultConfig()
	c.Config = common
	c.RootKeyFile = p.state.serviceKey("tenant")
	c.AdminKeyFile = p.state.path(fileAdminKey)
	if since := p.config.AdminKeysSince; !since.IsZero() {
		c.AdminKeysSince = since.Format(time.RFC3339Nano)
	}
	c.Cell.URL = conf.Secret(as(p.cellURL(), ddlRole, p.state.password("cell/"+ddlRole), cellName))
	for i, to := range []*tenant.Region{&c.Regions.Primary, &c.Regions.DR} {
		r := p.regions()[i]
		*to = tenant.Region{
			Endpoint: r.Endpoint, IAMEndpoint: r.iam(), AccessKey: r.AccessKey, SecretKey: r.SecretKey,
			SigningRegion: r.SigningRegion, CAFile: r.CAFile,
		}
	}
	p.showTenant(&c)
	if p.config.Slots > 0 {
		c.Slots.LowWater = p.config.Slots
	}
	return c
}

func (p *Platform) gateway(common service.Config) gateway.Config {
	c := gateway.DefaultConfig()
	c.Config = common
	p.showGateway(&c)
	return c
}

func (p *Platform) rotation(common service.Config) rotation.Config {
	c := rotation.DefaultConfig()
	c.Config = common
	c.RootKeyFile = p.state.serviceKey("rotation")
	return c
}

func (p *Platform) backup(ctx context.Context, common service.Config) (backup.Config, error) {
	c := backup.DefaultConfig()
	c.Config = common
	c.RootKeyFile = p.state.serviceKey("backup")
	if server := p.cell.Load(); server != nil { // an external one: the newest in PATH must do
		c.PgDump = server.Binaries().Path("pg_dump")
	}
	for i, to := range []*backup.Region{&c.Regions.Primary, &c.Regions.DR} {
		r := p.regions()[i]
		key, err := p.backupKey(ctx, r, to.Bucket)
		if err != nil {
			return c, err
		}
		to.Endpoint, to.SigningRegion, to.CAFile = r.Endpoint, r.SigningRegion, r.CAFile
		to.AccessKey, to.SecretKey = key.ID, key.Secret
	}
	return c, nil
}

func (p *Platform) alerting(common service.Config) (alerting.Config, error) {
	c, err := p.alertingConfig()
	if err != nil {
		return c, err
	}
	c.Config = common
	c.HTTPListen = p.address(p.config.Ports.Alerting)
	return c, nil
}

// serversCheck is how /readyz names what the supervisor knows.
const serversCheck = "servers"

// startAdmin serves metrics and health of everything in this process.
func (p *Platform) startAdmin(ctx context.Context) error {
	sources := []obs.Source{{Telemetry: p.telemetry["up"], Checks: []obs.Check{{Name: serversCheck, Ready: p.serversReady}}}}
	for _, name := range parts[1:] {
		sources = append(sources, obs.Source{Telemetry: p.telemetry[name]})
	}
	for _, name := range Services {
		check := obs.Check{Name: name, Ready: func(ctx context.Context) error { return p.serviceReady(ctx, name) }}
		source := obs.Source{Telemetry: p.telemetry[name], Checks: []obs.Check{check}}
		if p.config.Processes {
			source.Remote = obs.Remote("http://" + p.address(p.adminPorts[name]))
		}
		sources = append(sources, source)
	}
	p.admin = obs.NewAdmin(obs.AdminConfig{Addr: p.address(p.config.Ports.Admin), Log: p.log("up")}, sources...)
	return p.admin.Start(ctx)
}

func (p *Platform) stopAdmin(ctx context.Context) error { return p.admin.Stop(ctx) }

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
	if err := p.startServices(ctx); err != nil {
		return err
	}
	return p.awaitReady(ctx)
}
