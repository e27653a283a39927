package local_test

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/naksha-cloud/naksha/pkg/local"
	"github.com/naksha-cloud/naksha/pkg/local/localtest"
)

func postgresConfig(dir string) local.PostgresConfig {
	return local.PostgresConfig{Dir: dir, SuperuserPassword: "first secret", InitCache: localtest.InitCache()}
}

func regionConfig(dir string) local.RegionConfig {
	return local.RegionConfig{Name: "primary", Dir: dir, RootAccess: localtest.RootAccess, RootSecret: localtest.RootSecret, SealKey: []byte(localtest.SealKey)}
}

func TestPostgresIsAdoptedWithOtherPasswordPortAndCertificate(t *testing.T) {
	t.Parallel()
	config := postgresConfig(localtest.TempDir(t))
	p := startPostgres(t, config)
	query(t, p.SuperuserURL("postgres"), "CREATE TABLE kept AS SELECT 42 AS answer")
	oldPort := p.Port()
	stopTwice(t, p)

	config.SuperuserPassword, config.Settings = `second \ 'secret' ü`, map[string]string{"work_mem": "5MB"}
	config.CertFile, config.KeyFile, config.CAFile = certificate(t)
	p = startPostgres(t, config)
	if p.Port() == oldPort {
		t.Logf("the free port is the same: %d", oldPort)
	}
	if got := query(t, p.SuperuserURL("postgres"), "SELECT answer::text || ' ' || current_setting('work_mem') || ' ' || ssl::text FROM kept, pg_stat_ssl WHERE pid = pg_backend_pid()"); got != "42 5MB true" {
		t.Errorf("after the second start: %s", got)
	}
	if _, err := pgx.Connect(t.Context(), p.URL("postgres", "first secret", "postgres")); err == nil {
		t.Error("the old password still works")
	}
}

func TestPostgresIsSetUpForCells(t *testing.T) {
	t.Parallel()
	p := localtest.Postgres(t)
	for name, want := range map[string]string{
		"wal_level": "logical", "max_locks_per_transaction": "1024", "recovery_init_sync_method": "syncfs", "max_slot_wal_keep_size": "4GB",
		"log_min_error_statement": "panic", "log_error_verbosity": "terse", "temp_file_limit": "5GB",
		"password_encryption": "scram-sha-256", "data_checksums": "on", "server_encoding": "UTF8", "lc_collate": "C", "unix_socket_directories": "",
	} {
		if got := query(t, p.SuperuserURL("postgres"), "SELECT current_setting('"+name+"')"); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if group, err := syscall.Getpgid(p.PID()); err != nil || group == syscall.Getpgrp() {
		t.Errorf("the server is in process group %d, as we are: a Ctrl-C would hit it (%v)", group, err)
	}
	if got := query(t, localtest.Database(t), "SELECT count(*)::text FROM pg_hba_file_rules WHERE auth_method <> 'scram-sha-256' OR error IS NOT NULL"); got != "0" {
		t.Errorf("%s access rules without a SCRAM password", got)
	}
}

func TestPostgresRecoversFromKill(t *testing.T) {
	t.Parallel()
	config := postgresConfig(localtest.TempDir(t))
	p := startPostgres(t, config)
	query(t, p.SuperuserURL("postgres"), "CREATE TABLE kept AS SELECT 42 AS answer")
	if err := p.Kill(); err != nil {
		t.Fatal(err)
	}
	select {
	case <-p.Done():
	default:
		t.Error("Done is open after Kill")
	}
	stopTwice(t, p)
	p = startPostgres(t, config)
	if got := query(t, p.SuperuserURL("postgres"), "SELECT answer::text FROM kept"); got != "42" {
		t.Errorf("after the crash: %s", got)
	}
}

func TestOrphansOfKilledRunAreStopped(t *testing.T) {
	t.Parallel()
	dir := localtest.TempDir(t)
	left := killedRun(t, dir)
	if syscall.Kill(left.Postgres, 0) != nil {
		t.Fatal("the killed run left no Postgres: the test shows nothing")
	}
	p := startPostgres(t, postgresConfig(dir+"/pg"))
	r := startRegion(t, regionConfig(dir+"/s3"))
	if p.PID() == left.Postgres || r.PID() == left.Region {
		t.Errorf("the orphans %+v were kept", left)
	}
	for _, pid := range []int{left.Postgres, left.Region} {
		if state, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid)); err == nil && !strings.Contains(string(state), ") Z ") {
			t.Errorf("orphan %d still runs", pid)
		}
	}
}

func TestPostgresExplainsWhatStopsIt(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { taken.Close() })
	cases := map[string]struct {
		prepare func(dir string, c *local.PostgresConfig) error
		want    string
	}{
		"port in use": {func(_ string, c *local.PostgresConfig) error {
			c.Port = taken.Addr().(*net.TCPAddr).Port
			return nil
		}, "choose another port"},
		"data of another major": {func(dir string, _ *local.PostgresConfig) error {
			return errors.Join(os.Mkdir(dir+"/data", 0o700), os.WriteFile(dir+"/data/PG_VERSION", []byte("9\n"), 0o600))
		}, "install PostgreSQL 9 as well"},
		"folder of something else": {func(dir string, _ *local.PostgresConfig) error {
			return errors.Join(os.Mkdir(dir+"/data", 0o700), os.WriteFile(dir+"/data/letter.txt", nil, 0o600))
		}, "move it away"},
		"unknown setting": {func(_ string, c *local.PostgresConfig) error {
			c.Settings = map[string]string{"no_such_setting": "1"}
			return nil
		}, "no_such_setting"},
		"bad value": {func(_ string, c *local.PostgresConfig) error {
			c.Settings = map[string]string{"shared_buffers": "many"}
			return nil
		}, "shared_buffers"},
		"missing certificate": {func(dir string, c *local.PostgresConfig) error {
			c.CertFile, c.KeyFile = dir+"/none.crt", dir+"/none.key"
			return nil
		}, "none."},
		"no password": {func(_ string, c *local.PostgresConfig) error {
			c.SuperuserPassword = ""
			return nil
		}, "required"},
	}
	for name, test := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			config := postgresConfig(localtest.TempDir(t))
			if err := test.prepare(config.Dir, &config); err != nil {
				t.Fatal(err)
			}
			wantStartError(t, config, test.want)
		})
	}
}

func TestPostgresExplainsDamagedFolder(t *testing.T) {
	t.Parallel()
	config := postgresConfig(localtest.TempDir(t))
	stopTwice(t, startPostgres(t, config))
	if err := os.Remove(config.Dir + "/data/global/pg_control"); err != nil {
		t.Fatal(err)
	}
	wantStartError(t, config, "restore it from a backup")
}

func TestPostgresNamesFolderThatItsUserMayNotEnter(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("only root lends the server another user")
	}
	closed := filepath.Join(localtest.TempDir(t), "closed")
	if err := os.Mkdir(closed, 0o700); err != nil {
		t.Fatal(err)
	}
	wantStartError(t, postgresConfig(closed+"/pg"), "chmod o+x "+closed)
}

func TestSecondPostgresOnTheFolderIsRefused(t *testing.T) {
	t.Parallel()
	config := postgresConfig(localtest.TempDir(t))
	p := startPostgres(t, config)
	if _, err := local.StartPostgres(t.Context(), config); !errors.Is(err, local.ErrFolderInUse) {
		t.Errorf("second start: %v", err)
	}
	if got := query(t, p.SuperuserURL("postgres"), "SELECT 1::text"); got != "1" {
		t.Errorf("the first server suffered: %s", got)
	}
}
