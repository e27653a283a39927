package up

import (
	"context"
	_ "embed" // permissions.yaml
	"errors"
	"fmt"
	"net"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"github.com/naksha-cloud/naksha/pkg/local"
)

// permissions is deploy/k8s/nats/permissions.yaml, the file of production; a test holds them equal.
//
//go:embed permissions.yaml
var permissions []byte

// listen opens every service's gRPC listener on a free port, and the ports that outsiders use: a taken one is found
// before anything heavy starts.
func (p *Platform) listen(ctx context.Context) error {
	if err := p.relisten(ctx); err != nil {
		return err
	}
	if err := errors.Join(p.checkPorts()...); err != nil {
		return errors.Join(err, p.closeListeners(ctx))
	}
	return nil
}

// relisten opens a free port for each service's gRPC server.
func (p *Platform) relisten(ctx context.Context) error {
	p.listeners = map[string]net.Listener{}
	for _, name := range Services {
		l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", p.address(0))
		if err != nil {
			return errors.Join(fmt.Errorf("listen for service %s: %w", name, err), p.closeListeners(ctx))
		}
		p.listeners[name] = l
	}
	return nil
}

func (p *Platform) checkPorts() (errs []error) {
	c := &p.config.Ports
	for _, port := range []struct {
		number *int
		flag   string
	}{
		{&c.Gateway, "--gateway-port"},
		{&c.NATS, "--nats-port"},
		{&c.Platform, "--platform-port"},
		{&c.Cell, "--cell-port"},
		{&c.Primary, "--s3-primary-port"},
		{&c.PrimaryIAM, "--s3-primary-iam-port"},
		{&c.DR, "--s3-dr-port"},
		{&c.DRIAM, "--s3-dr-iam-port"},
		{&c.Alerting, "--alerting-port"},
		{&c.Admin, "--admin-port"},
	} {
		if *port.number != 0 {
			continue
		}
		free, err := local.FreePort()
		*port.number = free
		errs = append(errs, err)
	}
	for flag, number := range map[string]int{
		"--gateway-port": c.Gateway, "--alerting-port": c.Alerting, "--admin-port": c.Admin,
	} {
		errs = append(errs, local.CheckPort(p.config.Host, number, flag))
	}
	return errs
}

func (p *Platform) closeListeners(context.Context) error {
	for _, l := range p.listeners {
		_ = l.Close() // a started service has closed its own
	}
	return nil
}

// startServers starts Postgres twice, NATS and both S3 regions at the same time; orphans of a killed run are stopped by
// the servers' own starts.
func (p *Platform) startServers(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return p.startPlatform(ctx) })
	group.Go(func() error { return p.startCell(ctx) })
	group.Go(func() (err error) {
		p.nats, err = p.startNATS(ctx)
		return err
	})
	group.Go(func() error { return p.startPrimary(ctx) })
	group.Go(func() error { return p.startDR(ctx) })
	err := group.Wait()
	if err != nil {
		return errors.Join(err, p.stopServers(context.WithoutCancel(ctx)))
	}
	return nil
}

func (p *Platform) startPlatform(ctx context.Context) error {
	server, err := p.startPostgres(ctx, "platform", p.config.Ports.Platform)
	return adopt(&p.platform, server, err)
}

func (p *Platform) startCell(ctx context.Context) error {
	server, err := p.startPostgres(ctx, "cell1", p.config.Ports.Cell)
	return adopt(&p.cell, server, err)
}

func (p *Platform) startPrimary(ctx context.Context) error {
	region, err := p.startRegion(ctx, "primary", p.config.Ports.Primary, p.config.Ports.PrimaryIAM)
	return adopt(&p.primary, region, err)
}

func (p *Platform) startDR(ctx context.Context) error {
	region, err := p.startRegion(ctx, "dr", p.config.Ports.DR, p.config.Ports.DRIAM)
	return adopt(&p.dr, region, err)
}

// adopt makes a server that started the one that is asked, in place of one that died.
func adopt[T any](place *atomic.Pointer[T], server *T, err error) error {
	if err == nil {
		place.Store(server)
	}
	return err
}

func (p *Platform) startPostgres(ctx context.Context, name string, port int) (*local.Postgres, error) {
	files, err := p.state.certificate("postgres")
	if err != nil {
		return nil, err
	}
	server, err := local.StartPostgres(ctx, local.PostgresConfig{
		Dir: p.state.path("postgres", name), Host: p.config.Host, Port: port,
		SuperuserPassword: p.state.password("postgres/" + name),
		CertFile:          files.CertFile, KeyFile: files.KeyFile, CAFile: files.CAFile,
		Settings: map[string]string{"max_connections": "200"},
		Log:      p.log("postgres-" + name),
	})
	if err != nil {
		return nil, fmt.Errorf("%s Postgres: %w", name, err)
	}
	return server, nil
}

func (p *Platform) startNATS(ctx context.Context) (*local.NATS, error) {
	rules, err := local.ParsePermissions(permissions)
	if err != nil {
		return nil, fmt.Errorf("NATS permissions: %w", err)
	}
	passwords := map[string]string{}
	for _, user := range rules.Users() {
		passwords[user] = p.state.password("nats/" + user)
	}
	server, err := local.StartNATS(ctx, local.NATSConfig{
		Dir: p.state.path("nats"), Host: p.config.Host, Port: p.config.Ports.NATS,
		Permissions: rules, Passwords: passwords, Log: p.log("nats"),
	})
	if err != nil {
		return nil, fmt.Errorf("NATS: %w", err)
	}
	return server, nil
}

func (p *Platform) startRegion(ctx context.Context, name string, port, iam int) (*local.Region, error) {
	region, err := local.StartRegion(ctx, local.RegionConfig{
		Name: name, Dir: p.state.path("s3", name), Host: p.config.Host, Port: port, IAMPort: iam,
		RootAccess: rootAccess, RootSecret: p.state.password("s3/" + name), Log: p.log("s3-" + name),
	})
	if err != nil {
		return nil, fmt.Errorf("S3 region %s: %w", name, err)
	}
	return region, nil
}

// rootAccess is the access key id of each region's root user.
const rootAccess = "NAKSHAROOT"

// stopServers stops whatever of them runs, all at the same time.
func (p *Platform) stopServers(ctx context.Context) error {
	var stops []func(context.Context) error
	for _, server := range []*local.Postgres{p.platform.Load(), p.cell.Load()} {
		if server != nil {
			stops = append(stops, server.Stop)
		}
	}
	if p.nats != nil {
		stops = append(stops, p.nats.Stop)
	}
	for _, region := range []*local.Region{p.primary.Load(), p.dr.Load()} {
		if region != nil {
			stops = append(stops, region.Stop)
		}
	}
	errs := make(chan error, len(stops))
	for _, stop := range stops {
		go func() { errs <- stop(ctx) }()
	}
	var all []error
	for range stops {
		all = append(all, <-errs)
	}
	return errors.Join(all...)
}

// databaseURL is the platform database's URL as one of its roles.
func (p *Platform) databaseURL(role string) string {
	return p.platform.Load().URL(role, p.state.password("database/"+role), databaseName)
}
