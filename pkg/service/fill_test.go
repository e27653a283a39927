package service_test

import (
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"

	"github.com/naksha-cloud/naksha/pkg/clock"
	"github.com/naksha-cloud/naksha/pkg/service"
	"github.com/naksha-cloud/naksha/pkg/service/servicetest"
	alertingv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/alerting/v1"
)

func TestStreamThatIsNearlyFullIsAnAlert(t *testing.T) {
	t.Parallel()
	env, p, hands := servicetest.New(t), pager{alerts: make(chan *alertingv1.Alert, 100)}, clock.NewFake(time.Now())
	alerting := newCore(t, env, "alerting")
	alerting.Assemble(service.Parts{Register: func(s grpc.ServiceRegistrar) { alertingv1.RegisterAlertServiceServer(s, p) }})
	servicetest.Start(t, alerting)
	config := env.Config("tenant")
	config.Peers["alerting"], config.NATSStreamMB = alerting.Addr(), 1
	tenant, err := service.New("tenant", config, service.Deps{Clock: hands})
	if err != nil {
		t.Fatal(err)
	}
	servicetest.Start(t, tenant)
	for range 5 {
		emit(t, tenant, strings.Repeat("x", 200_000), nil)
	}
	if l := next(t, p, hands).GetLabels(); l["alertname"] != "StreamNearlyFull" || l["service"] != "tenant" {
		t.Errorf("alert %v", l)
	}
}
