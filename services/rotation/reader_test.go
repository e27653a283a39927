package rotation_test

import (
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5"
	"google.golang.org/grpc/codes"

	"github.com/naksha-cloud/naksha/pkg/fault"
	"github.com/naksha-cloud/naksha/pkg/service/servicetest"
	rotationv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/rotation/v1"
	"github.com/naksha-cloud/naksha/services/rotation/internal/credential"
)

// TestBackupGetsItsReaderAndItsSuccessor is backup's story: the first generation appears with the first workspace.
func TestBackupGetsItsReaderAndItsSuccessor(t *testing.T) {
	t.Parallel()
	h := newHouse(t).start(t)
	w := h.addWorkspace(t)
	name := string(credential.ForServer(h.cell.Server))
	backup := rotationv1.NewCredentialServiceClient(h.conn("backup"))
	redeem := func(want int32) (got *rotationv1.RedeemCredentialResponse) {
		servicetest.Eventually(t, func() (err error) {
			got, err = backup.RedeemCredential(t.Context(), &rotationv1.RedeemCredentialRequest{Name: name})
			if err == nil && got.GetGeneration() != want {
				return fmt.Errorf("redeemed %d", got.GetGeneration())
			}
			return err
		})
		return got
	}
	one := redeem(1)
	owner, err := h.cell.Login(t.Context(), h.cell.Role(w.Name, 1), w.Password)
	if err != nil {
		t.Fatal(err)
	}
	defer owner.Close(t.Context())
	if _, err := owner.Exec(t.Context(), "CREATE TABLE city (name text); INSERT INTO city VALUES ('Pune'); ALTER TABLE city ENABLE ROW LEVEL SECURITY"); err != nil {
		t.Fatal(err)
	}
	if got := countRows(t, one.GetDatabaseUrl(), "w_"+w.Ref+".city"); got != 1 {
		t.Errorf("the reader sees %d rows", got)
	}
	acknowledge := func(number int32) {
		if _, err := backup.AcknowledgeCredential(t.Context(), &rotationv1.AcknowledgeCredentialRequest{Name: name, Generation: number}); err != nil {
			t.Fatal(err)
		}
	}
	acknowledge(1)
	h.await(t, one.GetRotation(), rotationv1.Rotation_STATE_COMPLETED)
	created, err := h.rotations().CreateRotation(h.admin(t), &rotationv1.CreateRotationRequest{Parent: name})
	if err != nil {
		t.Fatal(err)
	}
	two := redeem(2)
	acknowledge(2)
	h.await(t, created.GetRotation().GetName(), rotationv1.Rotation_STATE_COMPLETED)
	if got := countRows(t, two.GetDatabaseUrl(), "w_"+w.Ref+".city"); got != 1 {
		t.Errorf("the reader sees %d rows", got)
	}
	if _, err := pgx.Connect(t.Context(), one.GetDatabaseUrl()); err == nil {
		t.Error("the old reader works")
	}
}

func countRows(t *testing.T, url, table string) (rows int) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	if err := conn.QueryRow(t.Context(), "SELECT count(*) FROM "+table).Scan(&rows); err != nil {
		t.Fatal(err)
	}
	return rows
}

// TestHandsSecretsToTheirHolderAlone tries every wrong pair of caller and credential.
func TestHandsSecretsToTheirHolderAlone(t *testing.T) {
	t.Parallel()
	h := newHouse(t).start(t)
	w, other := h.addWorkspace(t), h.addWorkspace(t)
	workspace, reader := string(credential.ForWorkspace(w.Name)), string(credential.ForServer(h.cell.Server))
	r := h.rotate(t, w)
	h.await(t, r.GetName(), rotationv1.Rotation_STATE_ANNOUNCED)
	backup := rotationv1.NewCredentialServiceClient(h.conn("backup"))
	alerting := rotationv1.NewCredentialServiceClient(h.conn("alerting"))
	gateway := h.credentials()
	redeem := func(name string) *rotationv1.RedeemCredentialRequest {
		return &rotationv1.RedeemCredentialRequest{Name: name}
	}
	tries := map[string]func() error{
		"backup redeems a workspace's": func() error { _, err := backup.RedeemCredential(t.Context(), redeem(workspace)); return err },
		"an operator redeems backup's": func() error { _, err := gateway.RedeemCredential(h.admin(t), redeem(reader)); return err },
		"alerting redeems backup's":    func() error { _, err := alerting.RedeemCredential(t.Context(), redeem(reader)); return err },
		"another customer redeems":     func() error { _, err := gateway.RedeemCredential(h.customer(t, other), redeem(workspace)); return err },
		"another customer rotates": func() error {
			_, err := h.rotations().CreateRotation(h.customer(t, other), &rotationv1.CreateRotationRequest{Parent: workspace})
			return err
		},
		"a customer rotates backup's": func() error {
			_, err := h.rotations().CreateRotation(h.customer(t, w), &rotationv1.CreateRotationRequest{Parent: reader})
			return err
		},
		"backup acknowledges a workspace's": func() error {
			_, err := backup.AcknowledgeCredential(t.Context(), &rotationv1.AcknowledgeCredentialRequest{Name: workspace, Generation: 2})
			return err
		},
		"another customer looks": func() error {
			_, err := h.rotations().GetRotation(h.customer(t, other), &rotationv1.GetRotationRequest{Name: r.GetName()})
			return err
		},
	}
	for what, try := range tries {
		if err := try(); fault.CodeOf(err) != codes.PermissionDenied {
			t.Errorf("%s: %v", what, err)
		}
	}
	if got := h.await(t, r.GetName(), rotationv1.Rotation_STATE_ANNOUNCED); len(got.GetSteps()) != 4 {
		t.Errorf("something changed: %v", got.GetSteps())
	}
}
