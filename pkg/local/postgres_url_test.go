package local_test

import (
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/naksha-cloud/naksha/pkg/local"
	"github.com/naksha-cloud/naksha/pkg/local/localtest"
)

func TestPostgresInAnOddlyNamedFolderIsReachedByItsURL(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(localtest.TempDir(t), "one +1 100%20 'it''s' &c=d #")
	if err := os.Mkdir(dir, 0o711); err != nil {
		t.Fatal(err)
	}
	certFile, keyFile, _ := certificate(t)
	ca := filepath.Join(dir, "ca.crt")
	if pem, err := os.ReadFile(certFile); err != nil || os.WriteFile(ca, pem, 0o600) != nil {
		t.Fatal(err)
	}
	config := postgresConfig(filepath.Join(dir, "pg"))
	config.CertFile, config.KeyFile, config.CAFile = certFile, keyFile, ca
	at := startPostgres(t, config)
	if got := query(t, at.SuperuserURL("postgres"), "SELECT ssl::text FROM pg_stat_ssl WHERE pid = pg_backend_pid()"); got != "true" {
		t.Errorf("pgx: TLS is %s", got)
	}
	out, err := psql(at, at.SuperuserURL("postgres"), "SELECT 6 * 7").CombinedOutput()
	if err != nil || string(out) != "42\n" {
		t.Errorf("psql: %v: %s", err, out)
	}
}

func psql(at *local.Postgres, connString, statement string) *exec.Cmd {
	return exec.Command(at.Binaries().Path("psql"), "--no-psqlrc", "--tuples-only", "--no-align", "--command", statement, connString)
}

func TestURLEscapesItsParts(t *testing.T) {
	t.Parallel()
	got, err := url.Parse(localtest.Postgres(t).URL("a b", "p@:/?#&", "d b"))
	if err != nil {
		t.Fatal(err)
	}
	if password, _ := got.User.Password(); got.User.Username() != "a b" || password != "p@:/?#&" || got.Path != "/d b" {
		t.Errorf("parsed back: %v", got)
	}
}
