package alerting_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/naksha-cloud/naksha/pkg/outbox"
	"github.com/naksha-cloud/naksha/pkg/pg"
	"github.com/naksha-cloud/naksha/pkg/service"
	"github.com/naksha-cloud/naksha/pkg/service/servicetest"
	alertingv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/alerting/v1"
	backupv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/backup/v1"
	gatewayv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/gateway/v1"
	rotationv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/rotation/v1"
)

// ref is a workspace's.
const ref = "abcdefghijklmnopqrst"

// other is another service with a record of its own.
func (h *house) other(name string) *service.Core {
	h.Helper()
	core, err := service.New(name, h.env.Config(name), service.Deps{})
	if err != nil {
		h.Fatal(err)
	}
	core.Assemble(service.Parts{})
	servicetest.Start(h.TB, core)
	return core
}

func (h *house) emit(from *service.Core, aggregate, workspace string, m proto.Message) {
	h.Helper()
	err := from.Pool.InTx(h.Context(), func(ctx context.Context, tx *pg.Tx) error {
		return from.Outbox.Emit(ctx, tx, outbox.Fact{Aggregate: aggregate, Workspace: workspace, Message: m})
	})
	if err != nil {
		h.Fatal(err)
	}
}

// incidents are all incidents by title.
func (h *house) byTitle(client alertingv1.IncidentServiceClient, want map[string]string) func() error {
	return func() error {
		list, err := client.ListIncidents(asOperator(h.Context()), &alertingv1.ListIncidentsRequest{})
		if err != nil {
			return err
		}
		got := map[string]string{}
		for _, i := range list.GetIncidents() {
			got[i.GetTitle()] = i.GetSeverity() + " " + i.GetState().String()
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			return fmt.Errorf("%v, want %v", got, want)
		}
		return nil
	}
}

func TestOthersFactsBecomeIncidents(t *testing.T) {
	t.Parallel()
	h := newHouse(t, "resolve_hold: 0s")
	s := h.start(nil)
	backup, rotation, gateway := h.other("backup"), h.other("rotation"), h.other("gateway")
	client := alertingv1.NewIncidentServiceClient(h.conn(s))
	restore, snapshot := "workspaces/"+ref+"/restores/1", "workspaces/"+ref+"/snapshots/1"
	credential := "workspaces/" + ref + "/credentials/database"
	h.emit(backup, restore, ref, &backupv1.RestoreFailed{Restore: restore, Error: &backupv1.Problem{Reason: "X", Message: "no"}})
	h.emit(backup, snapshot, ref, &backupv1.SnapshotFailed{Snapshot: snapshot})
	h.emit(rotation, credential, ref, &rotationv1.RotationBlocked{Credential: credential, Reason: "OLD_GENERATION_IN_USE"})
	h.emit(gateway, "gateway/authentication", "", &gatewayv1.AuthenticationFailuresSpiked{
		FailureCount: 90, AttemptCount: 100, StartTime: timestamppb.New(time.Now().Add(-time.Minute)),
	})
	open := map[string]string{
		"Restore failed: " + restore:             "sev2 STATE_TRIGGERED",
		"Snapshot failed: " + snapshot:           "sev3 STATE_TRIGGERED",
		"Rotation blocked: " + credential:        "sev2 STATE_TRIGGERED",
		"90 of 100 authentications were refused": "sev2 STATE_TRIGGERED",
	}
	servicetest.Eventually(t, h.byTitle(client, open))
	servicetest.Eventually(t, func() error {
		told := map[string]int{}
		for _, target := range h.targets("incident.page") {
			told[target]++
		}
		if told["security-oncall"] != 2 || told["platform-oncall"] < 1 {
			return fmt.Errorf("told %v", told)
		}
		return nil
	})
	h.emit(rotation, credential, ref, &rotationv1.CredentialRotated{Credential: credential})
	h.emit(backup, snapshot, ref, &backupv1.SnapshotVerified{Snapshot: snapshot})
	open["Rotation blocked: "+credential] = "sev2 STATE_RESOLVED"
	open["Snapshot failed: "+snapshot] = "sev3 STATE_RESOLVED"
	servicetest.Eventually(t, h.byTitle(client, open))
}
