package rotatetest

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/naksha-cloud/naksha/pkg/fault"
	tenantv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/tenant/v1"
	"github.com/naksha-cloud/naksha/services/rotation/internal/kind/postgres"
)

// Cell is a server with login roles, and tenant's rules on them (tenant's package loginops).
type Cell struct {
	Owners map[string]map[int32]*Login // by `workspaces/{ref}`; an owner that is not there is unknown
	Before func(o Order)               // sees each order before its effect; nil = nobody
	Broken error                       // of every call; nil = it works
	Gone   map[string]bool             // owners that were deleted: they get no access any more
	now    func() time.Time
}

// Order is one of tenant's RPCs.
type Order struct {
	Method     string // of CellService
	Owner      string
	Generation int32
}

// Login is one generation of an owner's login.
type Login struct {
	Enabled  bool
	Verifier string
	Sessions int
	LastUsed time.Time // when a session was last open; zero = never
}

// NewCell returns a cell without owners. now is the server's clock.
func NewCell(now func() time.Time) *Cell {
	return &Cell{Owners: map[string]map[int32]*Login{}, Gone: map[string]bool{}, now: now}
}

// Verifier is what the cell keeps of a password.
func Verifier(password string) string { return "verifier of " + password }

// Role names a generation's role; workspaces act as w_{ref}.
func Role(owner string, number int32) string { return group(owner) + "_g" + strconv.Itoa(int(number)) }

func group(owner string) string {
	if ref, ok := strings.CutPrefix(owner, "workspaces/"); ok {
		return "w_" + ref
	}
	return "naksha_backup"
}

// Works says whether a generation may log in.
func (c *Cell) Works(owner string, number int32, password string) bool {
	l := c.Owners[owner][number]
	return l != nil && l.Enabled && l.Verifier == Verifier(password)
}

// Open opens a session, if the generation may log in.
func (c *Cell) Open(owner string, number int32, password string) error {
	c.use(owner, number)
	if !c.Works(owner, number, password) {
		return &pgconn.PgError{Code: "28P01", Message: "password authentication failed"}
	}
	c.Owners[owner][number].Sessions++
	c.use(owner, number)
	return nil
}

// Close closes a session.
func (c *Cell) Close(owner string, number int32) {
	c.use(owner, number)
	if l := c.Owners[owner][number]; l != nil {
		l.Sessions = max(0, l.Sessions-1)
	}
}

// use notes that an open session was seen until now.
func (c *Cell) use(owner string, number int32) {
	if l := c.Owners[owner][number]; l != nil && l.Sessions > 0 {
		l.LastUsed = c.now()
	}
}

// order is what all RPCs begin with.
func (c *Cell) order(method, owner string, number int32) (*Login, error) {
	if c.Before != nil {
		c.Before(Order{method, owner, number})
	}
	if c.Broken != nil {
		return nil, c.Broken
	}
	logins, known := c.Owners[owner]
	if !known {
		return nil, fault.NotFound("WORKSPACE_NOT_FOUND", "There is no %s.", owner)
	}
	c.use(owner, number)
	return logins[number], nil
}

func (c *Cell) install(r *tenantv1.InstallLoginRequest) (*tenantv1.InstallLoginResponse, error) {
	l, err := c.order("InstallLogin", r.GetOwner(), r.GetGeneration())
	if err == nil {
		err = c.living(r.GetOwner())
	}
	if err != nil {
		return nil, err
	}
	if l == nil {
		l = &Login{Enabled: true}
		c.Owners[r.GetOwner()][r.GetGeneration()] = l
	}
	l.Verifier = r.GetScramVerifier()
	return &tenantv1.InstallLoginResponse{Login: c.show(r.GetOwner(), r.GetGeneration())}, nil
}

func (c *Cell) living(owner string) error {
	if c.Gone[owner] {
		return fault.Precondition("WORKSPACE_DELETED", "The %s was deleted.", owner)
	}
	return nil
}

func (c *Cell) set(method, owner string, number int32, enabled bool) (*Login, error) {
	l, err := c.order(method, owner, number)
	if err == nil && enabled {
		err = c.living(owner)
	}
	if err == nil && l == nil {
		err = fault.NotFound("LOGIN_NOT_FOUND", "There is no login %s.", Role(owner, number))
	}
	if err == nil {
		l.Enabled = enabled
	}
	return l, err
}

func (c *Cell) disable(r *tenantv1.DisableLoginRequest) (*tenantv1.DisableLoginResponse, error) {
	l, err := c.set("DisableLogin", r.GetOwner(), r.GetGeneration(), false)
	if err != nil {
		return nil, err
	}
	if r.GetEndSessions() {
		l.Sessions = 0
	}
	return &tenantv1.DisableLoginResponse{Login: c.show(r.GetOwner(), r.GetGeneration())}, nil
}

func (c *Cell) enable(r *tenantv1.EnableLoginRequest) (*tenantv1.EnableLoginResponse, error) {
	if _, err := c.set("EnableLogin", r.GetOwner(), r.GetGeneration(), true); err != nil {
		return nil, err
	}
	return &tenantv1.EnableLoginResponse{Login: c.show(r.GetOwner(), r.GetGeneration())}, nil
}

func (c *Cell) drop(r *tenantv1.DropLoginRequest) (*tenantv1.DropLoginResponse, error) {
	l, err := c.order("DropLogin", r.GetOwner(), r.GetGeneration())
	if err == nil && l != nil && l.Enabled {
		err = fault.Precondition("LOGIN_ENABLED", "The login %s is enabled.", Role(r.GetOwner(), r.GetGeneration()))
	}
	if err != nil {
		return nil, err
	}
	delete(c.Owners[r.GetOwner()], r.GetGeneration())
	return &tenantv1.DropLoginResponse{}, nil
}

func (c *Cell) observe(r *tenantv1.ObserveLoginsRequest) (*tenantv1.ObserveLoginsResponse, error) {
	if _, err := c.order("ObserveLogins", r.GetOwner(), 0); err != nil {
		return nil, err
	}
	reply := &tenantv1.ObserveLoginsResponse{}
	for number := range c.Owners[r.GetOwner()] {
		c.use(r.GetOwner(), number)
		reply.Logins = append(reply.Logins, c.show(r.GetOwner(), number))
	}
	slices.SortFunc(reply.Logins, func(a, b *tenantv1.Login) int { return int(a.GetGeneration() - b.GetGeneration()) })
	return reply, nil
}

func (c *Cell) show(owner string, number int32) *tenantv1.Login {
	l := c.Owners[owner][number]
	shown := &tenantv1.Login{
		Role: Role(owner, number), Generation: number, Enabled: l.Enabled, Sessions: int32(l.Sessions),
	}
	if !l.LastUsed.IsZero() {
		shown.LastSeenTime = timestamppb.New(l.LastUsed)
	}
	return shown
}

// dial is a login that is closed again: it leaves no trace.
func (c *Cell) dial(_ context.Context, dsn string) (postgres.Session, error) {
	u, err := url.Parse(dsn)
	if err != nil {
		return postgres.Session{}, err
	}
	if c.Broken != nil {
		return postgres.Session{}, c.Broken
	}
	password, _ := u.User.Password()
	for owner, logins := range c.Owners {
		for number := range logins {
			if Role(owner, number) == u.User.Username() && c.Works(owner, number, password) {
				return session(owner, number), nil
			}
		}
	}
	return postgres.Session{}, fmt.Errorf("connect: %w", &pgconn.PgError{Code: "28P01", Message: "password authentication failed"})
}

func session(owner string, number int32) postgres.Session {
	if strings.HasPrefix(owner, "workspaces/") {
		return postgres.Session{User: Role(owner, number), Acts: group(owner)}
	}
	return postgres.Session{User: Role(owner, number), Acts: Role(owner, number)}
}
