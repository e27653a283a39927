package rotatetest

import (
	"context"
	"fmt"
	"sync/atomic"

	"google.golang.org/grpc"

	"github.com/naksha-cloud/naksha/pkg/sim"
	tenantv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/tenant/v1"
	"github.com/naksha-cloud/naksha/services/rotation/internal/generation"
	"github.com/naksha-cloud/naksha/services/rotation/internal/kind/postgres"
	"github.com/naksha-cloud/naksha/services/rotation/internal/rotate"
)

// Driver is the real driver of Postgres logins on a Cell; only its secrets are made without chance.
type Driver struct {
	*postgres.Driver
	made atomic.Int64
	life int
}

// Driver returns p's driver on the cell: each RPC and each login is the world's to decide. p nil: none is.
func (c *Cell) Driver(p *sim.Process) *Driver {
	via := client{cell: c, process: p}
	d := &Driver{Driver: postgres.New(func() (tenantv1.CellServiceClient, error) { return via, nil }, via.dial)}
	if p != nil {
		d.life = p.Life
	}
	return d
}

// Mint makes a password that nobody made before.
func (d *Driver) Mint(_ context.Context, t rotate.Target) (generation.Secret, error) {
	password := fmt.Sprintf("%s-%d-%d", Role(t.Credential.Owner(), t.Generation), d.life, d.made.Add(1))
	return generation.Secret{Password: generation.Password(password), Verifier: generation.Password(Verifier(password))}, nil
}

// client is tenant's CellService as one process reaches it.
type client struct {
	tenantv1.CellServiceClient // nil: what is not defined here is not called
	cell                       *Cell
	process                    *sim.Process
}

func rpc[Q, R any](ctx context.Context, c client, name string, q Q, handle func(Q) (R, error)) (R, error) {
	if c.process == nil {
		return handle(q)
	}
	return sim.Ask(ctx, c.process, name, func() (R, error) { return handle(q) }, sim.Repeatable)
}

func (c client) GetCell(context.Context, *tenantv1.GetCellRequest, ...grpc.CallOption) (*tenantv1.GetCellResponse, error) {
	return &tenantv1.GetCellResponse{Cell: &tenantv1.Cell{Host: "cell", Port: 5432, Database: "cell"}}, nil
}

func (c client) InstallLogin(ctx context.Context, r *tenantv1.InstallLoginRequest, _ ...grpc.CallOption) (*tenantv1.InstallLoginResponse, error) {
	return rpc(ctx, c, "install "+Role(r.GetOwner(), r.GetGeneration()), r, c.cell.install)
}

func (c client) DisableLogin(ctx context.Context, r *tenantv1.DisableLoginRequest, _ ...grpc.CallOption) (*tenantv1.DisableLoginResponse, error) {
	return rpc(ctx, c, "disable "+Role(r.GetOwner(), r.GetGeneration()), r, c.cell.disable)
}

func (c client) EnableLogin(ctx context.Context, r *tenantv1.EnableLoginRequest, _ ...grpc.CallOption) (*tenantv1.EnableLoginResponse, error) {
	return rpc(ctx, c, "enable "+Role(r.GetOwner(), r.GetGeneration()), r, c.cell.enable)
}

func (c client) DropLogin(ctx context.Context, r *tenantv1.DropLoginRequest, _ ...grpc.CallOption) (*tenantv1.DropLoginResponse, error) {
	return rpc(ctx, c, "drop "+Role(r.GetOwner(), r.GetGeneration()), r, c.cell.drop)
}

func (c client) ObserveLogins(ctx context.Context, r *tenantv1.ObserveLoginsRequest, _ ...grpc.CallOption) (*tenantv1.ObserveLoginsResponse, error) {
	return rpc(ctx, c, "observe "+group(r.GetOwner()), r, c.cell.observe)
}

// dial logs in over the network.
func (c client) dial(ctx context.Context, dsn string) (postgres.Session, error) {
	if c.process == nil {
		return c.cell.dial(ctx, dsn)
	}
	return sim.Ask(ctx, c.process, "log in", func() (postgres.Session, error) { return c.cell.dial(ctx, dsn) })
}
