package up

import (
	"context"
	_ "embed" // permissions.yaml
	"errors"
	"fmt"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"github.com/naksha-cloud/naksha/pkg/local"
)

// permissions is deploy/k8s/nats/permissions.yaml, the file of production; a test holds them equal.
//
//go:embed permissions.yaml
var permissions []byte

// private is a server of our own.
type private struct {
	name  string
	dir   string   // its folder
	holds []string // folders there without which its data is lost; none = it is filled again from the record
	flag  string   // that names one elsewhere
	start func(ctx context.Context) error
	now   func() server // the one that runs now, or ran last; nil = it lives in this process
}

// server is a private server's process.
type server interface {
	// Done is closed when it has ended, however it ended.
	Done() <-chan struct{}
	// Stop ends it and gives up its folder, also that of one that has ended.
	Stop(ctx context.Context) error
}

// privateServers are those whose place nothing outside has taken.
func (p *Platform) privateServers() (all []private) {
	outside := p.config.External
	postgres, region := []string{"data"}, []string{"objects", "versions", "iam"}
	for _, s := range []struct {
		private
		given bool
	}{
		{private{"platform Postgres", p.state.path("postgres", "platform"), postgres, "--database-url", p.startPlatform, func() server { return p.platform.Load() }}, outside.DatabaseURL != ""},
		{private{"cell Postgres", p.state.path("postgres", "cell1"), postgres, "--cell-url", p.startCell, func() server { return p.cell.Load() }}, outside.CellURL != ""},
		{private{"S3 region primary", p.state.path("s3", "primary"), region, "--s3-endpoint primary=URL", p.startPrimary, func() server { return p.primary.Load() }}, outside.S3.Primary.Endpoint != ""},
		{private{"S3 region dr", p.state.path("s3", "dr"), region, "--s3-endpoint dr=URL", p.startDR, func() server { return p.dr.Load() }}, outside.S3.DR.Endpoint != ""},
		{private{"NATS", p.state.path("nats"), nil, "--nats-url", p.startBus, nil}, outside.NATS.URL != ""},
	} {
		if !s.given {
			all = append(all, s.private)
		}
	}
	return all
}

// startServers starts the private servers at the same time, two Postgres, NATS and both S3 regions by default.
func (p *Platform) startServers(ctx context.Context) error {
	servers := p.privateServers()
	if err := p.state.refuseLost(servers...); err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	for _, s := range servers {
		group.Go(func() error { return s.start(ctx) })
	}
	if err := group.Wait(); err != nil {
		return errors.Join(err, p.stopServers(context.WithoutCancel(ctx)))
	}
	return nil
}

func (p *Platform) startBus(ctx context.Context) (err error) {
	p.nats, err = p.startNATS(ctx)
	return err
}

func (p *Platform) startPlatform(ctx context.Context) error {
	server, err := p.startPostgres(ctx, "platform", p.config.Ports.Platform)
	return adopt(p, &p.platform, server, err)
}

func (p *Platform) startCell(ctx context.Context) error {
	server, err := p.startPostgres(ctx, "cell1", p.config.Ports.Cell)
	return adopt(p, &p.cell, server, err)
}

func (p *Platform) startPrimary(ctx context.Context) error {
	region, err := p.startRegion(ctx, "primary", p.config.Ports.Primary, p.config.Ports.PrimaryIAM)
	return adopt(p, &p.primary, region, err)
}

func (p *Platform) startDR(ctx context.Context) error {
	region, err := p.startRegion(ctx, "dr", p.config.Ports.DR, p.config.Ports.DRIAM)
	return adopt(p, &p.dr, region, err)
}

// adopt makes a server that started the one that is asked, in place of one that died.
func adopt[T any](p *Platform, place *atomic.Pointer[T], server *T, err error) error {
	if err == nil {
		place.Store(server)
		p.retell()
	}
	return err
}

func (p *Platform) startPostgres(ctx context.Context, name string, port int) (*local.Postgres, error) {
	files, err := p.state.certificate("postgres")
	if err != nil {
		return nil, err
	}
	server, err := local.StartPostgres(ctx, local.PostgresConfig{
		Dir: p.state.path("postgres", name), Host: p.host(), Port: port,
		SuperuserPassword: p.state.password("postgres/" + name),
		CertFile:          files.CertFile, KeyFile: files.KeyFile, CAFile: p.state.caFile(),
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
		Dir: p.state.path("nats"), Host: p.host(), Port: p.config.Ports.NATS,
		Permissions: rules, Passwords: passwords, Log: p.log("nats"),
		MaxStore: 1 << 40, // each stream has a bound of its own
	})
	if err != nil {
		return nil, fmt.Errorf("NATS: %w", err)
	}
	return server, nil
}

func (p *Platform) startRegion(ctx context.Context, name string, port, iam int) (*local.Region, error) {
	region, err := local.StartRegion(ctx, local.RegionConfig{
		Name: name, Dir: p.state.path("s3", name), Host: p.host(), Port: port, IAMPort: iam,
		RootAccess: rootAccess, RootSecret: p.state.password("s3/" + name), SealKey: p.state.root.Key("up/s3-users/" + name),
		Log: p.log("s3-" + name),
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
