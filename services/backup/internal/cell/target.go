// Package cell speaks to customers' databases: it reads a workspace's schema at one moment, and loads a staged one. It
// knows catalogs, COPY and pg_dump, and nothing of storage or of our own database.
package cell

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/url"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/naksha-cloud/naksha/pkg/conf"
)

// Target is a database and a login to it.
type Target struct {
	Host     string
	Port     int
	Database string
	TLS      string // parameters of a connection string, e.g. `sslmode=verify-full&sslrootcert=/…`; empty = libpq's default
	User     string
	Password conf.Secret
	PgDump   string // program; empty = pg_dump of PATH
}

// Staged is where a restore loads into.
type Staged struct {
	Target  Target // with the restore's login, without its password
	Schema  string
	Scratch string // database in which the DDL is renamed
}

// connectPatience bounds one connect.
const connectPatience = 15 * time.Second

// url is the connection string without the password, which would be seen in a process list.
func (t Target) url() string {
	u := url.URL{
		Scheme: "postgres", User: url.User(t.User), Host: net.JoinHostPort(t.Host, strconv.Itoa(t.Port)),
		Path: "/" + t.Database, RawQuery: t.TLS,
	}
	return u.String()
}

// pinned are the settings that decide how values look as text. Backups and checksums mean nothing without them, and a
// role's or database's own settings must not leak in.
func pinned(schema string) map[string]string {
	return map[string]string{
		"application_name": "naksha-backup", "client_encoding": "UTF8", "standard_conforming_strings": "on",
		"datestyle": "ISO, MDY", "intervalstyle": "postgres", "timezone": "UTC", "extra_float_digits": "1",
		"bytea_output": "hex", "lc_monetary": "C", "xmloption": "content", "xmlbinary": "base64",
		// Not empty as in pg_dump: regclass values read the same before and after the schema's swap, and functions that
		// rely on the customer's search_path work while indexes are built. pg_catalog still comes first.
		"search_path":       pgx.Identifier{schema}.Sanitize(),
		"statement_timeout": "0", "idle_in_transaction_session_timeout": "0", "lock_timeout": "0",
		"client_min_messages": "warning", "synchronize_seqscans": "off",
		// Compiling a query costs more than it saves on a pass over one table, and we bring our own parallelism.
		"jit": "off", "max_parallel_workers_per_gather": "0", "max_parallel_maintenance_workers": "0",
	}
}

// connect opens one session with pinned settings and those of more on top.
func (t Target) connect(ctx context.Context, schema string, more map[string]string) (*pgx.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, connectPatience)
	defer cancel()
	settings, err := pgx.ParseConfig(t.url())
	if err != nil {
		return nil, fmt.Errorf("read address of database %s at %s:%d", t.Database, t.Host, t.Port) // pgx's error holds the URL
	}
	settings.Password = t.Password.Reveal()
	settings.BuildFrontend = wideFrontend
	for name, value := range pinned(schema) {
		settings.RuntimeParams[name] = value
	}
	for name, value := range more {
		settings.RuntimeParams[name] = value
	}
	conn, err := pgx.ConnectConfig(ctx, settings)
	if err != nil {
		return nil, fmt.Errorf("connect to %s at %s:%d as %s: %w", t.Database, t.Host, t.Port, t.User, unwrapConnect(err))
	}
	return conn, nil
}

// readSize is how much is read from a session at once: COPY sends many small messages.
const readSize = 64 << 10

func wideFrontend(r io.Reader, w io.Writer) *pgproto3.Frontend {
	return pgproto3.NewFrontend(bufio.NewReaderSize(r, readSize), w)
}

// Check connects once.
func (t Target) Check(ctx context.Context) error {
	conn, err := t.connect(ctx, "pg_catalog", nil)
	if err != nil {
		return err
	}
	return conn.Close(ctx)
}
