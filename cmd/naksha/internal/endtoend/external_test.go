package endtoend

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"google.golang.org/grpc"

	"github.com/naksha-cloud/naksha/cmd/naksha/internal/up"
	"github.com/naksha-cloud/naksha/pkg/conf"
	"github.com/naksha-cloud/naksha/pkg/local"
	"github.com/naksha-cloud/naksha/pkg/local/localtest"
	"github.com/naksha-cloud/naksha/pkg/service/servicetest"
	backupv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/backup/v1"
	tenantv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/tenant/v1"
)

// elsewhere are the pieces that a test runs itself, as an operator would have prepared them.
func elsewhere(t *testing.T) up.External {
	t.Helper()
	return up.External{
		DatabaseURL: conf.Secret(postgres(t, nil).SuperuserURL("postgres")),
		CellURL:     conf.Secret(postgres(t, nil).SuperuserURL("postgres")),
		NATS:        bus(t),
		S3:          up.ExternalS3{Primary: s3Region(t, "primary"), DR: s3Region(t, "dr")},
	}
}

func postgres(t *testing.T, settings map[string]string) *local.Postgres {
	t.Helper()
	all := map[string]string{"fsync": "off"}
	maps.Copy(all, settings)
	server, err := local.StartPostgres(t.Context(), local.PostgresConfig{
		Dir: localtest.TempDir(t), SuperuserPassword: "operator's own", InitCache: localtest.InitCache(), Settings: all,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return server
}

// bus is a server with the permission file's users, whose passwords stand in a file.
func bus(t *testing.T) up.ExternalNATS {
	t.Helper()
	server := localtest.NATS(t)
	var passwords strings.Builder
	for _, user := range localtest.Permissions(t).Users() {
		fmt.Fprintf(&passwords, "%s: %s\n", user, user)
	}
	file := filepath.Join(t.TempDir(), "nats.yaml")
	if err := os.WriteFile(file, []byte(passwords.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return up.ExternalNATS{URL: server.URL(), PasswordsFile: file}
}

func s3Region(t *testing.T, name string) up.ExternalRegion {
	t.Helper()
	r := localtest.Region(t, name)
	return up.ExternalRegion{
		Endpoint: r.Endpoint(), IAMEndpoint: r.IAMEndpoint(), AccessKey: localtest.RootAccess, SecretKey: localtest.RootSecret,
	}
}

func TestPlatformRunsOnPiecesElsewhere(t *testing.T) {
	t.Parallel()
	outside, dir := elsewhere(t), filepath.Join(localtest.TempDir(t), "state")
	ref := ""
	for round := range 2 {
		platform, err := up.New(up.Config{Dir: dir, Log: t.Output(), Slots: 2, Version: "test", External: outside})
		if err != nil {
			t.Fatal(err)
		}
		if err := platform.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		w := &world{dir: dir, endpoints: platform.Endpoints()}
		conn := w.dial(t, w.adminKey(t))
		if round == 0 {
			ref = createAndCopy(t, conn, outside)
		}
		_, err = tenantv1.NewWorkspaceServiceClient(conn).GetWorkspace(t.Context(), &tenantv1.GetWorkspaceRequest{Name: ref})
		if err != nil {
			t.Errorf("start %d: %v", round+1, err)
		}
		for _, part := range []string{"platform", "cell1", "s3-primary", "s3-dr"} {
			if pid, there := w.endpoints.Processes[part]; there {
				t.Errorf("%s runs here too, as process %d", part, pid)
			}
		}
		if err := platform.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	}
	again(t, dir, ref, outside)
	if left, err := filepath.Glob(filepath.Join(dir, "postgres", "*")); err != nil || len(left) > 0 {
		t.Errorf("private servers were made: %v %v", left, err)
	}
}

// again starts the same platform by the command line, each service as a process of its own.
func again(t *testing.T, dir, ref string, outside up.External) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "up.yaml")
	content := fmt.Sprintf("database_url: %q\ncell_url: %q\ns3: {primary: {access_key: %[3]s, secret_key: %[4]s}, dr: {access_key: %[3]s, secret_key: %[4]s}}\n",
		outside.DatabaseURL.Reveal(), outside.CellURL.Reveal(), localtest.RootAccess, localtest.RootSecret)
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	binary, region := buildAll(t), outside.S3
	p := launch(t, binary, dir, "--processes", "--config", file, "--nats-url", outside.NATS.URL, "--nats-passwords", outside.NATS.PasswordsFile,
		"--s3-endpoint", "primary="+region.Primary.Endpoint+",dr="+region.DR.Endpoint,
		"--s3-iam-endpoint", "primary="+region.Primary.IAMEndpoint+",dr="+region.DR.IAMEndpoint)
	w := &world{dir: dir, endpoints: endpoints(t, dir)}
	_, err := tenantv1.NewWorkspaceServiceClient(w.dial(t, w.adminKey(t))).
		GetWorkspace(t.Context(), &tenantv1.GetWorkspaceRequest{Name: ref})
	if err != nil {
		t.Errorf("by the command line: %v", err)
	}
	if len(w.endpoints.Processes) != len(up.Services) {
		t.Errorf("more than the services runs here: %v", w.endpoints.Processes)
	}
	down(t, binary, dir, p)
}

// createAndCopy makes a workspace and a snapshot of it in both regions.
func createAndCopy(t *testing.T, conn *grpc.ClientConn, outside up.External) (ref string) {
	t.Helper()
	made, err := tenantv1.NewWorkspaceServiceClient(conn).
		CreateWorkspace(t.Context(), &tenantv1.CreateWorkspaceRequest{DisplayName: "kept"})
	if err != nil {
		t.Fatal(err)
	}
	ref = made.GetWorkspace().GetName()
	if got := made.GetWorkspace().GetEndpoints().GetS3Endpoints()["primary"]; got != outside.S3.Primary.Endpoint {
		t.Errorf("the workspace's bucket is at %s", got)
	}
	if got := made.GetCredentials().GetDatabaseUrl(); !strings.Contains(got, address(outside.CellURL)) {
		t.Error("the workspace's schema is not on the server elsewhere")
	}
	snapshots := backupv1.NewSnapshotServiceClient(conn)
	snapshot, err := snapshots.CreateSnapshot(t.Context(), &backupv1.CreateSnapshotRequest{Parent: ref})
	if err != nil {
		t.Fatal(err)
	}
	servicetest.Eventually(t, func() error {
		s, err := snapshots.GetSnapshot(t.Context(), &backupv1.GetSnapshotRequest{Name: snapshot.GetSnapshot().GetName()})
		if err == nil && s.GetSnapshot().GetState() != backupv1.Snapshot_STATE_VERIFIED {
			err = fmt.Errorf("the snapshot is %s", s.GetSnapshot())
		}
		return err
	})
	return ref
}

func TestPiecesElsewhereThatCannotServeAreRefusedWithTheRemedy(t *testing.T) {
	t.Parallel()
	good := elsewhere(t)
	weak, small := postgres(t, map[string]string{"password_encryption": "md5"}), postgres(t, map[string]string{"max_locks_per_transaction": "64"})
	for name, test := range map[string]struct {
		change func(e *up.External)
		says   []string
	}{
		"a wrong password": {func(e *up.External) {
			e.DatabaseURL = conf.Secret("postgres://postgres:wrong@" + address(e.DatabaseURL) + "/postgres")
		}, []string{"platform database", "password"}},
		"nobody there":         {func(e *up.External) { e.CellURL = "postgres://postgres:x@127.0.0.1:1/postgres" }, []string{"cell", "check address"}},
		"one server for both":  {func(e *up.External) { e.CellURL = e.DatabaseURL }, []string{"same server", "server of its own"}},
		"passwords by MD5":     {func(e *up.External) { e.CellURL = conf.Secret(weak.SuperuserURL("postgres")) }, []string{"scram-sha-256", "ALTER SYSTEM"}},
		"too few locks":        {func(e *up.External) { e.CellURL = conf.Secret(small.SuperuserURL("postgres")) }, []string{"max_locks_per_transaction = 1024", "restart"}},
		"NATS without users":   {func(e *up.External) { e.NATS.PasswordsFile = "" }, []string{"refuses the user", "nats-users"}},
		"NATS away":            {func(e *up.External) { e.NATS.URL = "nats://127.0.0.1:1" }, []string{"NATS", "check the URL"}},
		"a user in NATS' URL":  {func(e *up.External) { e.NATS.URL = "nats://admin:secret@127.0.0.1:1" }, []string{"nats.url", "without a user"}},
		"a wrong S3 key":       {func(e *up.External) { e.S3.DR.SecretKey = "wrong" }, []string{"S3 region dr", "secret_key"}},
		"an S3 without IAM":    {func(e *up.External) { e.S3.Primary.IAMEndpoint = "" }, []string{"--s3-iam-endpoint"}},
		"no key at all":        {func(e *up.External) { e.S3.Primary.AccessKey = "" }, []string{"s3.primary", "access_key"}},
		"no database in a URL": {func(e *up.External) { e.DatabaseURL = "mysql://x" }, []string{"database_url", "postgres://"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := good
			test.change(&e)
			platform, err := up.New(up.Config{Dir: localtest.TempDir(t), External: e})
			if err == nil {
				err = platform.Start(t.Context())
			}
			if err == nil {
				t.Fatal("it started")
			}
			for _, want := range test.says {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q does not say %q", err, want)
				}
			}
			if strings.Contains(err.Error(), "operator's own") || strings.Contains(err.Error(), "operator%27s") {
				t.Errorf("the error shows a password: %v", err)
			}
		})
	}
}

func TestNATSServerTakesThePrintedUsers(t *testing.T) {
	t.Parallel()
	dir, home := filepath.Join(localtest.TempDir(t), "state"), t.TempDir()
	code, users, errs := nakshaAt(t, home, "nats-users", "--dir", dir)
	if code != 0 {
		t.Fatalf("exit code %d: %s", code, errs)
	}
	file := filepath.Join(home, "nats.conf")
	owner := newAuthority(t)
	cert := owner.issue(t, 1, time.Now().Add(time.Hour), "127.0.0.1")
	settings := fmt.Sprintf("listen: 127.0.0.1:-1\njetstream { store_dir: %q, sync_interval: always }\ntls { cert_file: %q, key_file: %q }\n",
		filepath.Join(home, "store"), cert.CertFile, cert.KeyFile)
	if err := os.WriteFile(file, []byte(settings+users), 0o600); err != nil {
		t.Fatal(err)
	}
	options, err := server.ProcessConfigFile(file)
	if err != nil {
		t.Fatalf("%v\n%s", err, users)
	}
	options.NoSigs = true
	bus, err := server.NewServer(options)
	if err != nil {
		t.Fatal(err)
	}
	bus.Start()
	t.Cleanup(func() { bus.Shutdown(); bus.WaitForShutdown() })
	if !bus.ReadyForConnections(localtest.Patience) {
		t.Fatal("the server does not start")
	}
	platform, err := up.New(up.Config{Dir: dir, Log: t.Output(), Slots: 1, External: up.External{
		NATS: up.ExternalNATS{URL: strings.Replace(bus.ClientURL(), "nats:", "tls:", 1), CAFile: owner.path("ca.crt")},
	}})
	if err != nil {
		t.Fatal(err)
	}
	if err := platform.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := platform.Stop(context.Background()); err != nil {
		t.Error(err)
	}
}

// address is host:port of a URL.
func address(u conf.Secret) string {
	_, rest, _ := strings.Cut(u.Reveal(), "@")
	host, _, _ := strings.Cut(rest, "/")
	return host
}
