package endtoend

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/naksha-cloud/naksha/cmd/naksha/internal/up"
	"github.com/naksha-cloud/naksha/pkg/local/localtest"
	"github.com/naksha-cloud/naksha/pkg/service/servicetest"
	backupv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/backup/v1"
	rotationv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/rotation/v1"
	tenantv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/tenant/v1"
)

func TestOnlyWorkspacesComeInFromElsewhereAndServicesGoOn(t *testing.T) {
	t.Parallel()
	owner, dir := newAuthority(t), filepath.Join(localtest.TempDir(t), "state")
	platform, err := up.New(up.Config{
		Dir: dir, Log: t.Output(), Slots: 1, Listen: away,
		TLS: owner.issue(t, 100, time.Now().Add(time.Hour), away),
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := platform.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := platform.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	w := &world{dir: dir, platform: platform, endpoints: platform.Endpoints()}
	conn := w.dial(t, w.adminKey(t))
	made, err := tenantv1.NewWorkspaceServiceClient(conn).CreateWorkspace(t.Context(), &tenantv1.CreateWorkspaceRequest{DisplayName: "far"})
	if err != nil {
		t.Fatal(err)
	}
	root := "&sslrootcert=" + url.QueryEscape(owner.path("ca.crt"))
	own := made.GetCredentials().GetDatabaseUrl() + root
	for name, address := range map[string]string{
		"superuser": as(t, own, "postgres"), "reader": as(t, own, "naksha_backup_g1"), "replication": own + "&replication=database",
	} {
		_, err := pgx.Connect(t.Context(), address)
		if refused := new(pgconn.PgError); !errors.As(err, &refused) || refused.Code != "28000" || !strings.Contains(refused.Message, "connect") {
			t.Errorf("%s: %v", name, err)
		}
	}
	copyAndRestore(t, conn, made.GetWorkspace().GetName())
	replacement := redeem(t, conn, made.GetWorkspace().GetName())
	if !strings.Contains(replacement, "@"+away+":") {
		t.Error("a rotated login does not come in where customers do")
	}
	client, err := pgx.Connect(t.Context(), replacement+root)
	if err != nil {
		t.Fatal(err)
	}
	_ = client.Close(t.Context())
}

// as is an address for another user.
func as(t *testing.T, address, user string) string {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	u.User = url.UserPassword(user, "x")
	return u.String()
}

// copyAndRestore has backup read as its own login, and load as the restore's.
func copyAndRestore(t *testing.T, conn *grpc.ClientConn, ref string) {
	t.Helper()
	snapshots, restores := backupv1.NewSnapshotServiceClient(conn), backupv1.NewRestoreServiceClient(conn)
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
	restore, err := restores.CreateRestore(t.Context(), &backupv1.CreateRestoreRequest{Parent: ref, Snapshot: snapshot.GetSnapshot().GetName()})
	if err != nil {
		t.Fatal(err)
	}
	servicetest.Eventually(t, func() error {
		r, err := restores.GetRestore(t.Context(), &backupv1.GetRestoreRequest{Name: restore.GetRestore().GetName()})
		if err == nil && r.GetRestore().GetState() != backupv1.Restore_STATE_COMPLETED {
			err = fmt.Errorf("the restore is %s", r.GetRestore())
		}
		return err
	})
}

// redeem has a workspace's login rotated, and returns the new one's connection string.
func redeem(t *testing.T, conn *grpc.ClientConn, ref string) (address string) {
	t.Helper()
	credential := ref + "/credentials/database"
	_, err := rotationv1.NewRotationServiceClient(conn).CreateRotation(t.Context(), &rotationv1.CreateRotationRequest{
		Parent: credential, QuietWindow: durationpb.New(time.Second),
	})
	if err != nil {
		t.Fatal(err)
	}
	servicetest.Eventually(t, func() error {
		reply, err := rotationv1.NewCredentialServiceClient(conn).RedeemCredential(t.Context(), &rotationv1.RedeemCredentialRequest{Name: credential})
		address = reply.GetDatabaseUrl()
		return err
	})
	return address
}
