package service_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"google.golang.org/grpc"

	"github.com/naksha-cloud/naksha/pkg/bus"
	"github.com/naksha-cloud/naksha/pkg/clock"
	"github.com/naksha-cloud/naksha/pkg/local/localtest"
	"github.com/naksha-cloud/naksha/pkg/outbox"
	"github.com/naksha-cloud/naksha/pkg/pg"
	"github.com/naksha-cloud/naksha/pkg/service"
	"github.com/naksha-cloud/naksha/pkg/service/servicetest"
	alertingv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/alerting/v1"
	tenantv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/tenant/v1"
)

// pager takes alerts.
type pager struct {
	alertingv1.UnimplementedAlertServiceServer
	alerts chan *alertingv1.Alert
}

func (p pager) CreateAlerts(_ context.Context, r *alertingv1.CreateAlertsRequest) (*alertingv1.CreateAlertsResponse, error) {
	for _, a := range r.GetAlerts() {
		p.alerts <- a
	}
	return &alertingv1.CreateAlertsResponse{AcceptedCount: int32(len(r.GetAlerts()))}, nil
}

func TestWaitingDeadLettersAreAnAlertUntilTheyAreGone(t *testing.T) {
	t.Parallel()
	env, p, hands := servicetest.New(t), pager{alerts: make(chan *alertingv1.Alert, 100)}, clock.NewFake(time.Now())
	alerting, tenant := newCore(t, env, "alerting"), newCore(t, env, "tenant")
	alerting.Assemble(service.Parts{Register: func(s grpc.ServiceRegistrar) { alertingv1.RegisterAlertServiceServer(s, p) }})
	servicetest.Start(t, alerting)
	servicetest.Start(t, tenant)
	config := env.Config("backup")
	config.Peers["alerting"] = alerting.Addr()
	backup, err := service.New("backup", config, service.Deps{Clock: hands})
	if err != nil {
		t.Fatal(err)
	}
	backup.Assemble(service.Parts{Reactions: map[string][]outbox.Reaction{"tenant": {
		outbox.On(func(context.Context, *pg.Tx, outbox.Meta, *tenantv1.WorkspaceCreated) error {
			return bus.Reject(errors.New("cannot be handled"))
		}),
	}}})
	servicetest.Start(t, backup)
	emit(t, tenant, "bad", nil)
	alert := next(t, p, hands)
	if l := alert.GetLabels(); l["alertname"] != "DeadLettersWaiting" || l["service"] != "backup" || !alert.GetEndTime().AsTime().After(hands.Now()) {
		t.Fatalf("alert %v", alert)
	}
	if _, err := backup.Pool.Exec(t.Context(), "DELETE FROM dead_letter"); err != nil {
		t.Fatal(err)
	}
	for alert.GetEndTime().AsTime().After(hands.Now()) {
		alert = next(t, p, hands)
	}
}

// next is the next alert; the clock moves until it comes.
func next(t *testing.T, p pager, hands *clock.Fake) *alertingv1.Alert {
	t.Helper()
	for deadline := time.Now().Add(localtest.Patience); time.Now().Before(deadline); hands.Advance(time.Second) {
		select {
		case alert := <-p.alerts:
			return alert
		case <-time.After(50 * time.Millisecond):
		}
	}
	t.Fatal("no alert came")
	return nil
}
