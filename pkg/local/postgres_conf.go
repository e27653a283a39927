package local

import (
	"bytes"
	"fmt"
	"maps"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// confFile is included from postgresql.conf and written anew at each start.
const confFile = "naksha.conf"

// DefaultSettings returns the settings that every private server starts with, before PostgresConfig.Settings.
func DefaultSettings() map[string]string {
	return map[string]string{
		// Memory: two servers share a developer's machine, so idle memory matters more than cache.
		"shared_buffers":  "64MB",
		"max_connections": "200",
		"max_wal_size":    "1GB",
		// Copies: logical decoding and streaming need the full log; a forgotten slot must not fill the disk.
		"wal_level":              "logical",
		"max_wal_senders":        "10",
		"max_replication_slots":  "20",
		"max_slot_wal_keep_size": "4GB",
		// Thousands of schemas in one database: pg_dump and a schema swap lock many tables in one transaction, and a
		// crash start would open each of 300,000 files.
		"max_locks_per_transaction": "1024",
		"recovery_init_sync_method": "syncfs",
		"password_encryption":       "scram-sha-256",
		"timezone":                  "UTC",
		"log_timezone":              "UTC",
		"log_line_prefix":           "%m [%p] %q%u@%d ",
		"log_checkpoints":           "off",
		"log_statement":             "none",
		// A failed statement may hold a customer's data, and so may an error's DETAIL (`Key (email)=(…)`): the log is read by
		// operators and goes into support bundles. The error alone is enough.
		"log_min_error_statement": "panic",
		"log_error_verbosity":     "terse",
		// What one query may write to disk for its sorting and hashing, per session.
		"temp_file_limit": "5GB",
	}
}

// configure writes the server's settings, access rules and certificates for this start.
func (p *Postgres) configure() error {
	settings := DefaultSettings()
	maps.Copy(settings, p.config.Settings)
	maps.Copy(settings, map[string]string{
		"listen_addresses":        p.config.Host,
		"port":                    strconv.Itoa(p.config.Port),
		"unix_socket_directories": "",
		"logging_collector":       "off",
		"hba_file":                p.file("pg_hba.conf"),
		"ssl":                     "off",
	})
	if p.config.CertFile != "" {
		if err := p.copyCertificates(); err != nil {
			return err
		}
		maps.Copy(settings, map[string]string{"ssl": "on", "ssl_cert_file": p.file("server.crt"), "ssl_key_file": p.file("server.key"), "ssl_min_protocol_version": "TLSv1.2"})
	}
	if err := p.write(p.file("pg_hba.conf"), accessRules(p.config.Host, p.config.CertFile != "")); err != nil {
		return err
	}
	if err := p.write(filepath.Join(p.data(), confFile), renderSettings(settings)); err != nil {
		return err
	}
	return p.include()
}

// renderSettings writes `name = 'value'` lines in the order of their names.
func renderSettings(settings map[string]string) []byte {
	var out bytes.Buffer
	out.WriteString("# Written by naksha at each start. Own settings belong into postgresql.auto.conf (ALTER SYSTEM).\n")
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		value := strings.NewReplacer(`\`, `\\`, `'`, `''`, "\n", `\n`).Replace(settings[name])
		fmt.Fprintf(&out, "%s = '%s'\n", name, value)
	}
	return out.Bytes()
}

// accessRules asks everybody for a SCRAM password. Without TLS, only this machine may connect.
func accessRules(host string, tls bool) []byte {
	rules := []string{"# Written by naksha at each start.", "local all all scram-sha-256"}
	for _, database := range []string{"all", "replication"} {
		for _, loopback := range []string{"127.0.0.0/8", "::1/128"} {
			rules = append(rules, fmt.Sprintf("host %s all %s scram-sha-256", database, loopback))
		}
		if ip := net.ParseIP(host); tls && (ip == nil || !ip.IsLoopback()) {
			rules = append(rules, fmt.Sprintf("hostssl %s all all scram-sha-256", database))
		}
	}
	return []byte(strings.Join(rules, "\n") + "\n")
}

// copyCertificates gives the server's user its own copies: Postgres refuses a key that others may read, and ours may
// stand in a folder that it cannot enter.
func (p *Postgres) copyCertificates() error {
	for target, source := range map[string]string{"server.crt": p.config.CertFile, "server.key": p.config.KeyFile} {
		pem, err := os.ReadFile(source)
		if err != nil {
			return fmt.Errorf("read certificate: %w", err)
		}
		if err := p.write(p.file(target), pem); err != nil {
			return err
		}
	}
	return nil
}

// include makes postgresql.conf read our file last.
func (p *Postgres) include() error {
	path := filepath.Join(p.data(), "postgresql.conf")
	line := []byte("include '" + confFile + "'")
	conf, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("read settings: %w", err)
	}
	if bytes.HasSuffix(bytes.TrimSpace(conf), line) {
		return nil
	}
	return p.write(path, append(append(bytes.TrimSpace(conf), '\n'), append(line, '\n')...))
}

// write replaces a file in one step and hands it to the server's user.
func (p *Postgres) write(path string, content []byte) error {
	next := path + ".new"
	_ = os.Remove(next)
	if err := os.WriteFile(next, content, 0o600); err != nil {
		return fmt.Errorf("write %s: %w", filepath.Base(path), err)
	}
	if err := p.account.own(next); err != nil {
		return fmt.Errorf("hand over %s: %w", filepath.Base(path), err)
	}
	if err := os.Rename(next, path); err != nil {
		return fmt.Errorf("write %s: %w", filepath.Base(path), err)
	}
	return nil
}

func (p *Postgres) file(name string) string { return filepath.Join(p.dir, name) }
