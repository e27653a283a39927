package endtoend

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/grpc"

	"github.com/naksha-cloud/naksha/cmd/naksha/internal/up"
	"github.com/naksha-cloud/naksha/pkg/conf"
	"github.com/naksha-cloud/naksha/pkg/local/localtest"
	tenantv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/tenant/v1"
)

// TestLostPlatformIsRestoredFromItsSealedBackup loses the machine of the platform: its record, its root key and its bus
// are gone, while the cell and the regions are elsewhere and live on.
func TestLostPlatformIsRestoredFromItsSealedBackup(t *testing.T) {
	t.Parallel()
	outside := up.External{
		CellURL: conf.Secret(postgres(t, nil).SuperuserURL("postgres")),
		S3:      up.ExternalS3{Primary: s3Region(t, "primary"), DR: s3Region(t, "dr")},
	}
	lost, home := filepath.Join(localtest.TempDir(t), "state"), t.TempDir()
	identity, file := filepath.Join(home, "identity.txt"), filepath.Join(home, "platform.age")
	code, recipient, errs := nakshaAt(t, home, "platform", "keygen", "--file", identity)
	if code != 0 {
		t.Fatal(errs)
	}
	before := run(t, lost, outside)
	made, err := tenantv1.NewWorkspaceServiceClient(before.conn).
		CreateWorkspace(t.Context(), &tenantv1.CreateWorkspaceRequest{DisplayName: "kept"})
	if err != nil {
		t.Fatal(err)
	}
	args := []string{"platform", "backup", "--dir", lost, "--file", file, "--recipient", strings.TrimSpace(recipient)}
	if code, _, errs := nakshaAt(t, home, args...); code != 0 {
		t.Fatalf("backup: exit code %d: %s", code, errs)
	}
	if code, _, errs := nakshaAt(t, home, args...); code == 0 || !strings.Contains(errs, "--file") {
		t.Errorf("a backup that was there is overwritten: %d %s", code, errs)
	}
	isSealed(t, lost, file)
	before.stop(t)
	if err := os.RemoveAll(lost); err != nil {
		t.Fatal(err)
	}
	found := filepath.Join(localtest.TempDir(t), "state")
	damaged := filepath.Join(home, "damaged.age")
	if whole, err := os.ReadFile(file); err != nil || os.WriteFile(damaged, whole[:len(whole)-1000], 0o600) != nil {
		t.Fatal(err)
	}
	code, _, errs = nakshaAt(t, home, "platform", "restore", damaged, "--dir", found, "--identity", identity)
	if left, err := os.ReadDir(found); code != 1 || !strings.Contains(errs, "damaged") || err != nil || len(left) > 0 {
		t.Errorf("a damaged backup: exit code %d: %s: left %v, %v", code, errs, left, err)
	}
	if code, _, errs := nakshaAt(t, home, "platform", "restore", file, "--dir", found, "--identity", identity); code != 0 {
		t.Fatalf("restore: exit code %d: %s", code, errs)
	}
	after := run(t, found, outside)
	defer after.stop(t)
	client := tenantv1.NewWorkspaceServiceClient(after.conn)
	_, err = client.GetWorkspace(t.Context(), &tenantv1.GetWorkspaceRequest{Name: made.GetWorkspace().GetName()})
	if err != nil {
		t.Errorf("by the restored admin key: %v", err)
	}
	own := tenantv1.NewWorkspaceServiceClient(after.dial(t, made.GetCredentials().GetSecretKey()))
	if _, err := own.GetWorkspace(t.Context(), &tenantv1.GetWorkspaceRequest{Name: made.GetWorkspace().GetName()}); err != nil {
		t.Errorf("by the customer's key: %v", err)
	}
	if _, err := client.CreateWorkspace(t.Context(), &tenantv1.CreateWorkspaceRequest{DisplayName: "new"}); err != nil {
		t.Errorf("a new workspace: %v", err)
	}
	createAndCopy(t, after.conn, outside)
	if code, _, errs := nakshaAt(t, home, "platform", "restore", file, "--dir", found, "--identity", identity); code == 0 || !strings.Contains(errs, "not empty") {
		t.Errorf("restored over a platform: %d %s", code, errs)
	}
}

// running is a platform with a connection of its operator.
type running struct {
	*world
	conn *grpc.ClientConn
}

func run(t *testing.T, dir string, outside up.External) running {
	t.Helper()
	platform, err := up.New(up.Config{Dir: dir, Log: t.Output(), Slots: 2, Version: "test", External: outside})
	if err != nil {
		t.Fatal(err)
	}
	if err := platform.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	w := &world{dir: dir, platform: platform, endpoints: platform.Endpoints()}
	return running{w, w.dial(t, w.adminKey(t))}
}

func (r running) stop(t *testing.T) {
	t.Helper()
	if err := r.platform.Stop(context.Background()); err != nil {
		t.Error(err)
	}
}

// isSealed greps a backup for the secrets of its state directory.
func isSealed(t *testing.T, dir, file string) {
	t.Helper()
	secrets, err := up.Secrets(dir)
	if err != nil || len(secrets) == 0 {
		t.Fatal(err)
	}
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range append(secrets, "CREATE TABLE", "PGDMP", "kept") {
		if bytes.Contains(content, []byte(secret)) {
			t.Error("the backup shows what it holds")
		}
	}
}

func TestBackupsThatCannotBeTakenOrOpenedSayWhy(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	identity, junk, empty := filepath.Join(home, "identity.txt"), filepath.Join(home, "junk"), filepath.Join(home, "empty")
	if code, _, errs := nakshaAt(t, home, "platform", "keygen", "--file", identity); code != 0 {
		t.Fatal(errs)
	}
	if err := os.WriteFile(junk, []byte("no backup"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		args []string
		code int
		says string
	}{
		"nothing runs":       {[]string{"platform", "backup", "--recipient", "age1x", "--dir", empty}, 1, "naksha up"},
		"no recipient":       {[]string{"platform", "backup", "--dir", empty}, 2, "recipient"},
		"an identity exists": {[]string{"platform", "keygen", "--file", identity}, 1, "--file"},
		"no backup":          {[]string{"platform", "restore", junk, "--identity", identity, "--dir", empty}, 1, "damaged"},
		"no identity":        {[]string{"platform", "restore", junk, "--identity", junk, "--dir", empty}, 1, "AGE-SECRET-KEY"},
		"no file":            {[]string{"platform", "restore", empty + "x", "--identity", identity, "--dir", empty}, 1, "no such file"},
		"a password in args": {[]string{"platform", "backup", "--recipient", "age1x", "--database-url", "postgres://u:p@h/d"}, 2, "list of processes"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if code, out, errs := nakshaAt(t, home, test.args...); code != test.code || !strings.Contains(errs, test.says) {
				t.Errorf("exit code %d, %s%s", code, out, errs)
			}
		})
	}
}
