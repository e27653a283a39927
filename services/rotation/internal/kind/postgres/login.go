package postgres

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/naksha-cloud/naksha/pkg/fault"
	"github.com/naksha-cloud/naksha/pkg/pg"
	"github.com/naksha-cloud/naksha/pkg/scram"
	tenantv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/tenant/v1"
	"github.com/naksha-cloud/naksha/services/rotation/internal/credential"
	"github.com/naksha-cloud/naksha/services/rotation/internal/generation"
	"github.com/naksha-cloud/naksha/services/rotation/internal/rotate"
	"github.com/naksha-cloud/naksha/services/rotation/internal/rotation"
)

// connectWait bounds one test login.
const connectWait = 4 * time.Second

// SQLSTATEs of a refused login (Postgres, appendix A, class 28).
const (
	notAuthorized = "28000" // e.g. the role may not log in
	wrongPassword = "28P01" // also: there is no such role
	tooMany       = "53300" // too many connections: of the role, or of the server
)

// Verify logs in as the generation and asks the server who that is.
func (d *Driver) Verify(ctx context.Context, t rotate.Target, s generation.Secret) (string, error) {
	login, err := d.login(ctx, t)
	if err != nil {
		return "", err
	}
	if login == nil {
		return "", refused("There is no role for generation %d at the server.", t.Generation)
	}
	role := login.GetRole()
	session, err := d.tryLogin(ctx, t.Credential, role, s.Password)
	switch code := refusal(err); {
	case code != "":
		return "", refused("The server refuses %s: %s.", role, code)
	case pg.SQLState(err) == tooMany && login.GetSessions() > 0: // its holder uses all connections that its plan has
		return fmt.Sprintf("login in use: %s has %d sessions, as many as it may have", role, login.GetSessions()), nil
	case err != nil:
		return "", err
	case session.User != role || session.Acts != actsAs(t.Credential, role):
		return "", refused("The login %s became session_user %s, current_user %s.", role, session.User, session.Acts)
	}
	return fmt.Sprintf("login worked: session_user %s, current_user %s", session.User, session.Acts), nil
}

// actsAs is the role that a login's statements run as: all generations of a workspace act as its owner (DESIGN §5), or
// the next one could not read what this one makes.
func actsAs(c credential.Name, role string) string {
	if ref := c.Workspace(); ref != "" {
		return "w_" + ref
	}
	return role
}

func refused(message string, args ...any) rotation.Failure {
	return rotation.Failure{
		Verdict: rotation.Refused, Reason: rotation.LoginRefused, Message: fmt.Sprintf(message, args...),
	}
}

// ProveDead tries the generation's own password, or any where only somebody else knows it, and wants a refusal. The
// role's state is part of the proof: it may not log in and has no session.
func (d *Driver) ProveDead(ctx context.Context, t rotate.Target, s generation.Secret) (string, error) {
	login, err := d.login(ctx, t)
	switch {
	case err != nil:
		return "", err
	case login == nil:
		return fmt.Sprintf("generation %d: no such role at the server", t.Generation), nil
	case login.GetEnabled() || login.GetSessions() > 0:
		return "", rotation.Failure{Reason: rotation.OldAlive, Message: fmt.Sprintf(
			"The role %s may log in, or has sessions (%d).", login.GetRole(), login.GetSessions())}
	}
	password, which := s.Password, "its own password"
	if s.Zero() {
		password, which = generation.Password(scram.Password()), "a password of ours, since tenant minted this generation"
	}
	_, err = d.tryLogin(ctx, t.Credential, login.GetRole(), password)
	if code := refusal(err); code != "" {
		return fmt.Sprintf("login of %s refused: %s (tried %s); rolcanlogin false, 0 sessions", login.GetRole(), code, which), nil
	}
	if err != nil {
		return "", err
	}
	return "", rotation.Failure{
		Reason:  rotation.OldAlive,
		Message: fmt.Sprintf("The login %s still works though the role is disabled.", login.GetRole()),
	}
}

// Locate returns the login role and its connection string, as customers connect.
func (d *Driver) Locate(ctx context.Context, c credential.Name, number int32, s generation.Secret) (user, dsn string, err error) {
	user, err = d.role(ctx, rotate.Target{Credential: c, Generation: number})
	if err != nil {
		return "", "", err
	}
	if user == "" {
		return "", "", fault.Precondition("GENERATION_MISSING", "Generation %d of %s is not at its server.", number, c).
			WithRemedy("Look at the credential's rotation: it says what happened.")
	}
	cell, err := d.cell(ctx, c)
	if err != nil {
		return "", "", err
	}
	cell.Host, cell.Port, cell.TlsParameters = cell.GetCustomerHost(), cell.GetCustomerPort(), cell.GetCustomerTlsParameters()
	return user, connString(cell, user, s.Password), nil
}

// Session is who a login became at the server.
type Session struct{ User, Acts string } // session_user, current_user

// Dialer opens one session, asks the server who that is, and closes it. Its errors are pgx's and hold no secret.
type Dialer func(ctx context.Context, dsn string) (Session, error)

// Dial is the Dialer for real servers.
func Dial(ctx context.Context, dsn string) (s Session, err error) {
	config, err := pgx.ParseConfig(dsn)
	if err != nil { // its text holds the connection string
		return Session{}, errors.New("the cell's address or TLS parameters are malformed")
	}
	config.RuntimeParams["application_name"] = "naksha-rotation"
	ctx, cancel := context.WithTimeout(ctx, connectWait)
	defer cancel()
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return Session{}, err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	if err := conn.QueryRow(ctx, "SELECT session_user::text, current_user::text").Scan(&s.User, &s.Acts); err != nil {
		return Session{}, fmt.Errorf("ask who it is: %w", err)
	}
	return s, nil
}

// tryLogin opens one session with a password.
func (d *Driver) tryLogin(ctx context.Context, c credential.Name, role string, password generation.Password) (Session, error) {
	cell, err := d.cell(ctx, c)
	if err != nil {
		return Session{}, err
	}
	s, err := d.dial(ctx, connString(cell, role, password))
	if err != nil {
		return Session{}, fmt.Errorf("log in as %s: %w", role, err)
	}
	return s, nil
}

// refusal is the SQLSTATE of a login that the server refused for good, "" for anything else.
func refusal(err error) string {
	if code := pg.SQLState(err); code == notAuthorized || code == wrongPassword {
		return code
	}
	return ""
}

func (d *Driver) cell(ctx context.Context, c credential.Name) (*tenantv1.Cell, error) {
	cells, err := d.cells()
	if err != nil {
		return nil, err
	}
	reply, err := cells.GetCell(ctx, &tenantv1.GetCellRequest{Name: c.Owner()})
	if err != nil {
		return nil, fmt.Errorf("find the cell of %s: %w", c.Owner(), err)
	}
	return reply.GetCell(), nil
}

func connString(cell *tenantv1.Cell, user string, password generation.Password) string {
	u := url.URL{
		Scheme: "postgres", User: url.UserPassword(user, password.Reveal()), Path: "/" + cell.GetDatabase(),
		Host: net.JoinHostPort(cell.GetHost(), strconv.Itoa(int(cell.GetPort()))), RawQuery: cell.GetTlsParameters(),
	}
	return u.String()
}
