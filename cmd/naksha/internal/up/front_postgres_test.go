package up

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/naksha-cloud/naksha/pkg/local/localtest"
)

// opened is a running front of target.
func opened(t *testing.T, f *front) *front {
	t.Helper()
	shown := httptest.NewTLSServer(nil)
	t.Cleanup(shown.Close)
	f.name, f.listen, f.log = "test", "127.0.0.1:0", slog.New(slog.DiscardHandler)
	f.tls = &tls.Config{Certificates: shown.TLS.Certificates}
	if err := f.start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.stop)
	return f
}

// dialFrom connects to a front from one of this machine's addresses, and begins TLS as Postgres' clients do.
func (f *front) dialFrom(t *testing.T, address string) *tls.Conn {
	t.Helper()
	dialer := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(address)}}
	raw, err := dialer.DialContext(t.Context(), "tcp", f.listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = raw.Close() })
	_ = raw.SetDeadline(time.Now().Add(localtest.Patience))
	if f.postgres {
		if _, err := raw.Write(request(pgSSLRequest)); err != nil {
			t.Fatal(err)
		}
		if answer := make([]byte, 1); func() error { _, err := io.ReadFull(raw, answer); return err }() != nil || answer[0] != 'S' {
			t.Fatalf("asked for TLS, heard %q", answer)
		}
	}
	secure := tls.Client(raw, &tls.Config{InsecureSkipVerify: true}) // the test's own certificate
	if err := secure.HandshakeContext(t.Context()); err != nil {
		t.Fatal(err)
	}
	return secure
}

// login is a startup message of protocol 3 with names and values.
func login(words ...string) []byte {
	return request(pgProtocol<<16, []byte(strings.Join(words, "\x00")+"\x00\x00")...)
}

const someLogin = "w_abcdefghijklmnopqrst_g1"

func TestOnlyWorkspacesLoginsPassTheFront(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		first []byte
		says  string // "" = passes
	}{
		"a workspace":                {login("user", someLogin, "database", "cell1", "application_name", ""), ""},
		"a later generation":         {login("user", "w_abcdefghijklmnopqrst_g104"), ""},
		"minor version 2":            {request(3<<16|2, []byte("user\x00"+someLogin+"\x00_pq_.x\x001\x00\x00")...), ""},
		"a cancel request":           {request(pgCancelRequest, 1, 2, 3, 4, 5, 6, 7, 8), ""},
		"the superuser":              {login("user", "postgres"), "only workspaces"},
		"the DDL login":              {login("user", ddlRole), "only workspaces"},
		"backup's reader":            {login("user", "naksha_backup_g1"), "only workspaces"},
		"a restore's login":          {login("user", "w_abcdefghijklmnopqrst__r0123abcd"), "only workspaces"},
		"the owning role":            {login("user", "w_abcdefghijklmnopqrst"), "only workspaces"},
		"a name that goes on":        {login("user", someLogin+"\n"), "only workspaces"},
		"a second user":              {login("user", someLogin, "user", "postgres"), "only workspaces"},
		"a first user":               {login("user", "postgres", "user", someLogin), "only workspaces"},
		"replication":                {login("user", someLogin, "replication", "database"), "replication"},
		"no replication, in words":   {login("replication", "off", "user", someLogin), "replication"},
		"nobody":                     {login("database", "cell1"), "names no user"},
		"nothing":                    {request(pgProtocol << 16), "protocol 3"},
		"a name without a value":     {login("user", someLogin, "replication"), "protocol 3"},
		"more behind the end":        {append(login("user", someLogin), 0), ""}, // not of this message
		"an end in the middle":       {login("user", someLogin, "", "", "user", "postgres"), "only workspaces"},
		"no end":                     {request(pgProtocol<<16, []byte("user\x00"+someLogin+"\x00")...), "protocol 3"},
		"protocol 2":                 {request(2<<16, []byte("postgres")...), "protocol 3"},
		"TLS in TLS":                 {request(pgSSLRequest), "protocol 3"},
		"GSS in TLS":                 {request(pgGSSENCRequest), "protocol 3"},
		"a message without a bound":  {binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, 1<<31), pgProtocol<<16), "closed"},
		"a message without a length": {make([]byte, 8), "closed"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := &script{in: strings.NewReader(string(test.first))}
			passes, err := startup(client)
			heard := client.out.String()
			switch {
			case test.says == "" && (err != nil || heard != "" || !strings.HasPrefix(string(test.first), string(passes))):
				t.Errorf("passes %q, hears %q, %v", passes, heard, err)
			case test.says == "closed" && (err == nil || heard != ""):
				t.Errorf("hears %q, %v", heard, err)
			case test.says != "" && test.says != "closed" && (err == nil || !strings.Contains(heard, "C"+notAuthorized) || !strings.Contains(heard, test.says)):
				t.Errorf("hears %q, %v", heard, err)
			}
		})
	}
}

func FuzzStartup(f *testing.F) {
	f.Add(login("user", someLogin, "database", "cell1"))
	f.Add(login("user", "postgres", "replication", "1"))
	f.Fuzz(func(t *testing.T, sends []byte) {
		passes, err := startup(&script{in: strings.NewReader(string(sends))})
		if err == nil && (!strings.HasPrefix(string(sends), string(passes)) || strings.Contains(string(passes), "\x00replication\x00")) {
			t.Errorf("%q passes as %q", sends, passes)
		}
	})
}

func TestPostgresBehindTheFrontIsUsedAsOneItself(t *testing.T) {
	t.Parallel()
	server := localtest.Postgres(t)
	behind, err := url.Parse(server.SuperuserURL("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	f := opened(t, &front{target: behind.Host, postgres: true})
	user := "w_" + strings.ToLower(rand.Text()[:20])
	user = strings.Map(func(r rune) rune {
		if r >= '2' && r <= '7' {
			return r - '2' + 'a'
		}
		return r
	}, user) + "_g1"
	admin, err := pgx.Connect(t.Context(), behind.String())
	if err != nil {
		t.Fatal(err)
	}
	defer admin.Close(t.Context())
	if _, err := admin.Exec(t.Context(), "CREATE ROLE "+user+" LOGIN PASSWORD 'let me in'"); err != nil {
		t.Fatal(err)
	}
	defer func() { _, _ = admin.Exec(context.Background(), "DROP ROLE "+user) }()
	through := func(u *url.Userinfo, query string) (*pgx.Conn, error) {
		return pgx.Connect(t.Context(), (&url.URL{Scheme: "postgres", User: u, Host: f.listener.Addr().String(), Path: "/postgres", RawQuery: "sslmode=require" + query}).String())
	}
	for name, test := range map[string]struct {
		user  *url.Userinfo
		query string
		code  string
	}{
		"the superuser":    {behind.User, "", notAuthorized},
		"replication":      {url.UserPassword(user, "let me in"), "&replication=database", notAuthorized},
		"a wrong password": {url.UserPassword(user, "let me out"), "", "28P01"},
	} {
		_, err := through(test.user, test.query)
		if refused := new(pgconn.PgError); !errors.As(err, &refused) || refused.Code != test.code {
			t.Errorf("%s: %v", name, err)
		}
	}
	conn, err := through(url.UserPassword(user, "let me in"), "")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	var n int
	if err := conn.QueryRow(t.Context(), "SELECT sum(length(repeat('x', 10000))) FROM generate_series(1, 300)").Scan(&n); err != nil || n != 3_000_000 {
		t.Errorf("%d, %v", n, err)
	}
	cancelled := make(chan error, 1)
	go func() {
		_, err := conn.Exec(t.Context(), "SELECT pg_sleep(600)")
		cancelled <- err
	}()
	for err = nil; err == nil; { // until the query has begun, a cancel request finds nothing
		if err := conn.PgConn().CancelRequest(t.Context()); err != nil {
			t.Fatal(err)
		}
		select {
		case err = <-cancelled:
		case <-time.After(20 * time.Millisecond):
		}
	}
	if stopped := new(pgconn.PgError); !errors.As(err, &stopped) || stopped.Code != "57014" {
		t.Errorf("a cancelled query: %v", err)
	}
}
