// Package servicetest gives a service's tests everything that it stands on, real and of its own: a database with a role
// and a schema as in production, a NATS server with the real permissions, and certificates of a CA made for the test.
package servicetest

import (
	"context"
	"fmt"
	"net/url"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/nats-io/nats.go"
	"google.golang.org/grpc"

	"github.com/naksha-cloud/naksha/pkg/conf"
	"github.com/naksha-cloud/naksha/pkg/local"
	"github.com/naksha-cloud/naksha/pkg/local/localtest"
	"github.com/naksha-cloud/naksha/pkg/obs"
	"github.com/naksha-cloud/naksha/pkg/rpc"
	"github.com/naksha-cloud/naksha/pkg/rpc/pki"
	"github.com/naksha-cloud/naksha/pkg/service"
)

// Env is the surroundings of the services of one test.
type Env struct {
	AdminURL string      // the platform database as superuser
	NATS     *local.NATS // one server, each user's password is its name
	pki      *pki.Dir
	t        testing.TB
}

// New makes the surroundings; they are gone at the end of the test. TestMain must return localtest.Run.
func New(t testing.TB) *Env {
	t.Helper()
	dir, err := pki.Open(localtest.TempDir(t), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return &Env{AdminURL: localtest.Database(t), NATS: localtest.NATS(t), pki: dir, t: t}
}

// Config is what a service of this name is told: a role and schema of its own, its NATS user, its certificate.
func (e *Env) Config(name string) service.Config {
	e.t.Helper()
	c := service.DefaultConfig()
	c.DatabaseURL = e.database(name)
	c.NATSURL = e.NATS.URL()
	c.NATSPassword = conf.Secret(name)
	c.TLS = e.Files(name)
	c.Peers = map[string]string{}
	return c
}

// database makes the role and the schema of a service, once. Roles are of the whole cluster, so the name carries the
// test's database.
func (e *Env) database(name string) conf.Secret {
	e.t.Helper()
	ctx, cancel := context.WithTimeout(e.t.Context(), localtest.Patience)
	defer cancel()
	conn, err := pgx.Connect(ctx, e.AdminURL)
	if err != nil {
		e.t.Fatal(err)
	}
	defer conn.Close(ctx)
	role := conn.Config().Database + "_" + name
	var exists bool
	if err := conn.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1)", role).Scan(&exists); err != nil {
		e.t.Fatal(err)
	}
	if !exists {
		e.exec(ctx, conn, fmt.Sprintf(`CREATE ROLE %[1]s LOGIN PASSWORD '%[2]s'; CREATE SCHEMA %[2]s AUTHORIZATION %[1]s;
			ALTER ROLE %[1]s SET search_path = %[2]s`, role, name))
		e.t.Cleanup(func() { e.dropRole(role) })
	}
	u, err := url.Parse(e.AdminURL)
	if err != nil {
		e.t.Fatal(err)
	}
	u.User = url.UserPassword(role, name)
	return conf.Secret(u.String())
}

func (e *Env) exec(ctx context.Context, conn *pgx.Conn, sql string) {
	e.t.Helper()
	if _, err := conn.Exec(ctx, sql); err != nil {
		e.t.Fatalf("%s: %v", sql, err)
	}
}

func (e *Env) dropRole(role string) {
	ctx, cancel := context.WithTimeout(context.Background(), localtest.Patience)
	defer cancel()
	conn, err := pgx.Connect(ctx, e.AdminURL)
	if err != nil {
		e.t.Error(err)
		return
	}
	defer conn.Close(ctx)
	sql := fmt.Sprintf("DROP OWNED BY %[1]s CASCADE; DROP ROLE %[1]s", role)
	if _, err := conn.Exec(ctx, sql); err != nil {
		e.t.Errorf("%s: %v", sql, err)
	}
}

// Files are the certificate files of a service.
func (e *Env) Files(name string) rpc.Files {
	e.t.Helper()
	files, err := e.pki.Ensure(pki.Leaf{Service: name, From: time.Now()})
	if err != nil {
		e.t.Fatal(err)
	}
	return files
}

// Dial is a connection to a service at addr, made as the named caller.
func (e *Env) Dial(as, service, addr string) *grpc.ClientConn {
	e.t.Helper()
	tlsConfig, err := rpc.ClientTLS(e.Files(as), service)
	if err != nil {
		e.t.Fatal(err)
	}
	conn, err := rpc.Dial(addr, rpc.ClientConfig{TLS: tlsConfig, Name: as, Deadline: localtest.Patience, Telemetry: obs.Discard()})
	if err != nil {
		e.t.Fatal(err)
	}
	e.t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// Listen subscribes as an outsider to the republished facts of subject, e.g. `naksha.feed.tenant.v1.>`.
func (e *Env) Listen(subject string) <-chan *nats.Msg {
	e.t.Helper()
	conn, err := nats.Connect(e.NATS.URL(), nats.UserInfo("subscriber", "subscriber"),
		nats.CustomInboxPrefix("_INBOX_subscriber"))
	if err != nil {
		e.t.Fatal(err)
	}
	e.t.Cleanup(conn.Close)
	facts := make(chan *nats.Msg, 4096)
	if _, err := conn.ChanSubscribe(subject, facts); err != nil {
		e.t.Fatal(err)
	}
	if err := conn.Flush(); err != nil {
		e.t.Fatal(err)
	}
	return facts
}

// Start starts a service and stops it at the end of the test.
func Start(t testing.TB, s interface {
	Start(ctx context.Context) error
	Stop(ctx context.Context) error
},
) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), localtest.Patience)
	defer cancel()
	if err := s.Start(ctx); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), localtest.Patience)
		defer cancel()
		if err := s.Stop(ctx); err != nil {
			t.Error(err)
		}
	})
}

// Eventually polls until f returns nil, and fails the test with its last error when patience ends.
func Eventually(t testing.TB, f func() error) {
	t.Helper()
	deadline := time.Now().Add(localtest.Patience)
	for {
		err := f()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("still after %v: %v", localtest.Patience, err)
		}
		wait := time.NewTimer(20 * time.Millisecond)
		select {
		case <-wait.C:
		case <-t.Context().Done():
			t.Fatal(t.Context().Err())
		}
	}
}
