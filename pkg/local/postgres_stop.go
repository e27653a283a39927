package local

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// Port returns the TCP port.
func (p *Postgres) Port() int { return p.config.Port }

// PID returns the process id of the postmaster.
func (p *Postgres) PID() int { return p.process.PID }

// Binaries returns the installation that the server runs from; pg_dump and pg_restore of the same version are there.
func (p *Postgres) Binaries() Binaries { return p.bin }

// Done is closed when the server has ended, in order or not.
func (p *Postgres) Done() <-chan struct{} { return p.done }

// URL returns a connection string for a role. With TLS it asks for the full check of the server's certificate.
func (p *Postgres) URL(user, password, database string) string {
	query := url.Values{"sslmode": {"disable"}}
	if p.config.CertFile != "" {
		query = url.Values{"sslmode": {"require"}}
		if p.config.CAFile != "" {
			query = url.Values{"sslmode": {"verify-full"}, "sslrootcert": {p.config.CAFile}}
		}
	}
	return PostgresURL(net.JoinHostPort(p.config.Host, strconv.Itoa(p.config.Port)), user, password, database, query)
}

// PostgresURL returns a connection string as every client reads it: they take "+" for itself, not for a space.
func PostgresURL(host, user, password, database string, query url.Values) string {
	u := url.URL{
		Scheme: "postgres", User: url.UserPassword(user, password), Host: host, Path: "/" + database,
		RawQuery: strings.ReplaceAll(query.Encode(), "+", "%20"),
	}
	return u.String()
}

// SuperuserURL returns the connection string of the role postgres.
func (p *Postgres) SuperuserURL(database string) string {
	return p.URL(superuser, p.config.SuperuserPassword, database)
}

// Stop ends the server by a fast shutdown: sessions are ended, everything is flushed. When ctx is over first, the
// server is ended at once, recovers at the next start, and ctx's error is returned. A second Stop does nothing.
func (p *Postgres) Stop(ctx context.Context) error {
	p.stop.Lock()
	defer p.stop.Unlock()
	err := p.halt(ctx)
	p.release()
	if err != nil {
		return fmt.Errorf("stop Postgres in %s: %w", p.dir, err)
	}
	return nil
}

// Kill ends the postmaster and all of its children by SIGKILL, as a crash of the machine would end them.
func (p *Postgres) Kill() error {
	p.stop.Lock()
	defer p.stop.Unlock()
	defer p.release()
	if err := p.process.signal(syscall.SIGKILL); err != nil {
		return err
	}
	<-p.done
	return p.endChildren()
}

// halt waits for a fast shutdown.
func (p *Postgres) halt(ctx context.Context) error {
	if p.done == nil {
		return nil
	}
	if err := p.process.signal(syscall.SIGINT); err != nil {
		return err
	}
	select {
	case <-p.done:
		return nil
	case <-ctx.Done():
	}
	if err := p.process.signal(syscall.SIGKILL); err != nil {
		return err
	}
	<-p.done
	return errors.Join(ctx.Err(), p.endChildren())
}

// abandon undoes a failed start.
func (p *Postgres) abandon() {
	if p.done != nil {
		_ = p.process.signal(syscall.SIGKILL)
		<-p.done
		_ = p.endChildren()
	}
	p.release()
}

func (p *Postgres) release() { _ = Unlock(p.lock) }

func (p *Postgres) data() string { return filepath.Join(p.dir, "data") }
