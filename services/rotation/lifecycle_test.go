package rotation_test

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/naksha-cloud/naksha/pkg/fault"
	"github.com/naksha-cloud/naksha/pkg/local/localtest"
	"github.com/naksha-cloud/naksha/pkg/service/servicetest"
	rotationv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/rotation/v1"
	tenantv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/tenant/v1"
	"github.com/naksha-cloud/naksha/services/rotation"
	"github.com/naksha-cloud/naksha/services/rotation/internal/credential"
)

func TestTwoInstancesShareTheWork(t *testing.T) {
	t.Parallel()
	h := newHouse(t).start(t)
	h.replica(t)
	for range 3 {
		w := h.addWorkspace(t)
		h.finish(t, w, h.rotate(t, w))
	}
}

func TestTwoHousesInOneProcess(t *testing.T) {
	t.Parallel()
	one, two := newHouse(t).start(t), newHouse(t).start(t)
	for _, h := range []*house{one, two} {
		w := h.addWorkspace(t)
		h.finish(t, w, h.rotate(t, w))
	}
}

func TestGoesOnAfterRestart(t *testing.T) {
	t.Parallel()
	h := newHouse(t).start(t)
	w := h.addWorkspace(t)
	r := h.rotate(t, w)
	h.await(t, r.GetName(), rotationv1.Rotation_STATE_ANNOUNCED)
	for range 2 { // the second stop does nothing
		if err := h.service.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if err := h.service.Ready(t.Context()); err == nil {
		t.Error("ready while stopped")
	}
	if err := h.service.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	h.finish(t, w, r)
}

func TestStartsAfterFailedStart(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	good, err := os.ReadFile(h.config.RootKeyFile)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(h.config.RootKeyFile, randomKey(), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := rotation.New(h.config, rotation.Deps{})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start(t.Context()); err == nil {
		t.Fatal("starts with a root key that is none")
	}
	if err := os.WriteFile(h.config.RootKeyFile, good, 0o600); err != nil {
		t.Fatal(err)
	}
	servicetest.Start(t, s)
	servicetest.Eventually(t, func() error { return s.Ready(t.Context()) })
}

func TestStopsWhileTheCellIsAway(t *testing.T) {
	t.Parallel()
	h := newHouse(t).start(t)
	w := h.addWorkspace(t)
	h.cell.Fail(fault.Unavailable("CELL_AWAY", "The cell is away."))
	h.rotate(t, w)
	servicetest.Eventually(t, func() error {
		if calls := h.cell.Calls(); calls < 3 {
			return fmt.Errorf("%d calls", calls)
		}
		return nil
	})
	ctx, cancel := context.WithTimeout(t.Context(), localtest.Bar(30*time.Second))
	defer cancel()
	if err := h.service.Stop(ctx); err != nil || ctx.Err() != nil {
		t.Errorf("stop: %v, %v", err, ctx.Err())
	}
}

func TestDeletedWorkspaceEndsItsCredential(t *testing.T) {
	t.Parallel()
	h := newHouse(t).start(t)
	w := h.addWorkspace(t)
	name := string(credential.ForWorkspace(w.Name))
	r := h.rotate(t, w)
	h.await(t, r.GetName(), rotationv1.Rotation_STATE_ANNOUNCED)
	h.tell(t, w, &tenantv1.WorkspaceDeleted{Workspace: w.Name, DeleteTime: timestamppb.Now()})
	h.await(t, r.GetName(), rotationv1.Rotation_STATE_ABORTED)
	_, err := h.credentials().RedeemCredential(h.customer(t, w), &rotationv1.RedeemCredentialRequest{Name: name})
	if fault.ReasonOf(err) != "CREDENTIAL_UNKNOWN" {
		t.Errorf("redeem after the end: %v", err)
	}
	_, err = h.rotations().CreateRotation(h.customer(t, w), &rotationv1.CreateRotationRequest{Parent: name})
	if fault.ReasonOf(err) != "CREDENTIAL_RETIRED" {
		t.Errorf("rotate after the end: %v", err)
	}
	reply, err := h.credentials().ListCredentials(h.customer(t, w), &rotationv1.ListCredentialsRequest{Parent: w.Name})
	if err != nil || len(reply.GetCredentials()) != 0 {
		t.Errorf("listed after the end: %v, %v", reply, err)
	}
}

func TestSnapshotOfAWorkspaceStandsForFactsThatAreGone(t *testing.T) {
	t.Parallel()
	h := newHouse(t).start(t)
	w := h.cell.AddWorkspace(t)
	h.tell(t, w, &tenantv1.WorkspaceSnapshotted{Created: created(h, w)})
	listed := func(want int) error {
		reply, err := h.credentials().ListCredentials(h.customer(t, w), &rotationv1.ListCredentialsRequest{Parent: w.Name})
		if err == nil && len(reply.GetCredentials()) != want {
			err = fmt.Errorf("%d credentials, not %d", len(reply.GetCredentials()), want)
		}
		return err
	}
	servicetest.Eventually(t, func() error { return listed(1) })
	h.tell(t, w, &tenantv1.WorkspaceSnapshotted{Created: created(h, w), DeleteTime: timestamppb.Now()})
	servicetest.Eventually(t, func() error { return listed(0) })
}
