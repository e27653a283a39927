package endtoend

import (
	"context"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/naksha-cloud/naksha/cmd/naksha/internal/demo/outsider"
	"github.com/naksha-cloud/naksha/cmd/naksha/internal/up"
	"github.com/naksha-cloud/naksha/pkg/local"
	"github.com/naksha-cloud/naksha/pkg/local/localtest"
	tenantv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/tenant/v1"
)

// TestNoEmptyServerTakesThePlaceOfALostOne loses each private server's folder, and then all but the platform's backup. The
// directories have odd names, which customers' URLs carry.
func TestNoEmptyServerTakesThePlaceOfALostOne(t *testing.T) {
	t.Parallel()
	top, home := localtest.TempDir(t), t.TempDir()
	first, second := filepath.Join(top, "one +1 100%"), filepath.Join(top, "it's the second")
	identity, file := filepath.Join(home, "identity.txt"), filepath.Join(home, "platform.age")
	code, recipient, errs := nakshaAt(t, home, "platform", "keygen", "--file", identity)
	if code != 0 {
		t.Fatal(errs)
	}
	before := run(t, first, up.External{})
	made, err := tenantv1.NewWorkspaceServiceClient(before.conn).
		CreateWorkspace(t.Context(), &tenantv1.CreateWorkspaceRequest{DisplayName: "kept"})
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(before.endpoints.CAFile); err != nil || info.Mode().Perm() != 0o644 || filepath.Dir(before.endpoints.CAFile) != first {
		t.Errorf("not everybody reads the CA file %s: %v, %v", before.endpoints.CAFile, info, err)
	}
	before.leaveData(t, made)
	before.findData(t, made)
	args := []string{"platform", "backup", "--dir", first, "--file", file, "--recipient", strings.TrimSpace(recipient)}
	if code, _, errs := nakshaAt(t, home, args...); code != 0 {
		t.Errorf("backup: exit code %d: %s", code, errs)
	}
	before.stop(t)
	for lost, flag := range map[string]string{
		"postgres/platform": "--database-url", "postgres/cell1": "--cell-url", "s3/primary": "--s3-endpoint primary", "s3/dr/objects": "--s3-endpoint dr",
	} {
		move(t, first, top, lost)
		refusesToStart(t, first, filepath.Dir(lost), flag, "your copy", "SERVED")
		move(t, top, first, lost)
	}
	code, _, errs = nakshaAt(t, home, "platform", "restore", file, "--dir", second, "--identity", identity)
	if code != 0 || !strings.Contains(errs, "second'` and the cell") {
		t.Fatalf("restore: exit code %d: %s", code, errs)
	}
	refusesToStart(t, second, "--cell-url", "--s3-endpoint primary", "--s3-endpoint dr")
	for _, folder := range []string{"postgres/cell1", "s3/primary", "s3/dr"} {
		move(t, first, second, folder)
	}
	after := run(t, second, up.External{})
	defer after.stop(t)
	after.findData(t, made)
}

// leaveData writes a row and an object as the workspace's owner.
func (r running) leaveData(t *testing.T, made *tenantv1.CreateWorkspaceResponse) {
	t.Helper()
	address, bucket := r.clients(t, made)
	conn, err := pgx.Connect(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	if _, err := conn.Exec(t.Context(), "CREATE TABLE kept AS SELECT 42 AS answer"); err != nil {
		t.Error(err)
	}
	if err := bucket.Put(t.Context(), "kept", []byte("42")); err != nil {
		t.Error(err)
	}
}

// findData finds both again, the row by psql.
func (r running) findData(t *testing.T, made *tenantv1.CreateWorkspaceResponse) {
	t.Helper()
	address, bucket := r.clients(t, made)
	tools, err := local.FindPostgres()
	if err != nil {
		t.Fatal(err)
	}
	query := exec.CommandContext(t.Context(), tools.Path("psql"), "--no-psqlrc", "--tuples-only", "--no-align", "--command", "SELECT answer FROM kept", address)
	if out, err := query.CombinedOutput(); err != nil || string(out) != "42\n" {
		t.Errorf("psql: %v: %s", err, out)
	}
	if keys, err := bucket.Keys(t.Context()); err != nil || !slices.Equal(keys, []string{"kept"}) {
		t.Errorf("objects %q, %v", keys, err)
	}
}

// clients are the owner's database URL, at the port of today, and its bucket.
func (r running) clients(t *testing.T, made *tenantv1.CreateWorkspaceResponse) (address string, bucket outsider.S3) {
	t.Helper()
	own := made.GetCredentials()
	u, err := url.Parse(own.GetDatabaseUrl())
	if err != nil {
		t.Fatal(err)
	}
	u.Host = r.endpoints.Cell
	bucket, err = outsider.NewS3(r.endpoints.S3Primary, own.GetS3AccessKeyId(), own.GetS3SecretAccessKey(), made.GetWorkspace().GetEndpoints().GetBucket())
	if err != nil {
		t.Fatal(err)
	}
	return u.String(), bucket
}

// move puts a folder of one directory into another, whatever is there.
func move(t *testing.T, from, to, folder string) {
	t.Helper()
	target := filepath.Join(to, folder)
	if err := os.MkdirAll(filepath.Dir(target), 0o711); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(filepath.Join(from, folder), target); err != nil {
		t.Fatal(err)
	}
}

func refusesToStart(t *testing.T, dir string, says ...string) {
	t.Helper()
	platform, err := up.New(up.Config{Dir: dir, Log: t.Output()})
	if err == nil {
		err = platform.Start(t.Context())
	}
	if err == nil {
		_ = platform.Stop(context.WithoutCancel(t.Context()))
		t.Fatal("it started")
	}
	for _, want := range says {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q does not say %q", err, want)
		}
	}
}
