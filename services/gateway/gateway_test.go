package gateway_test

import (
	"context"
	"fmt"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/naksha-cloud/naksha/pkg/fault"
	"github.com/naksha-cloud/naksha/pkg/local/localtest"
	"github.com/naksha-cloud/naksha/pkg/service/servicetest"
	gatewayv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/gateway/v1"
	tenantv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/tenant/v1"
	"github.com/naksha-cloud/naksha/services/gateway"
)

func TestACallPassesOverBothTransports(t *testing.T) {
	t.Parallel()
	w := newWorld(t, gateway.Deps{})
	got, err := tenantv1.NewWorkspaceServiceClient(w.dial(t, ownKey)).GetWorkspace(t.Context(),
		&tenantv1.GetWorkspaceRequest{Name: "workspaces/" + own})
	if err != nil || got.GetWorkspace().GetName() != "workspaces/"+own {
		t.Fatalf("gRPC: %v, %v", got, err)
	}
	answer := w.do(t, ownKey, "GET", "/v1/workspaces/"+own, "")
	workspace, _ := answer.body["workspace"].(map[string]any)
	if answer.status != 200 || workspace["name"] != "workspaces/"+own || workspace["state"] != "STATE_ACTIVE" {
		t.Fatalf("REST: %d %s", answer.status, answer.text)
	}
	if _, there := workspace["displayName"]; !there {
		t.Errorf("an unset field is left out: %s", answer.text)
	}
	for _, who := range w.tenant.calls() {
		if who.Principal != "BBBBBBBBBBBB" || who.Kind != "secret" || who.Workspace != own || who.Service != "gateway" {
			t.Errorf("the service saw %+v", who)
		}
	}
	if asked := w.tenant.questions(); asked != 1 {
		t.Errorf("the tenant service was asked %d times about one key", asked)
	}
}

func TestAServicesErrorStaysAsItIs(t *testing.T) {
	t.Parallel()
	w := newWorld(t, gateway.Deps{})
	_, err := tenantv1.NewWorkspaceServiceClient(w.dial(t, adminKey)).DeleteWorkspace(t.Context(),
		&tenantv1.DeleteWorkspaceRequest{Name: "workspaces/" + other})
	f := fault.From(err)
	if f.Code != codes.NotFound || f.Reason != "WORKSPACE_NOT_FOUND" || f.Remedy != "List the workspaces." || len(f.Fields) != 1 {
		t.Errorf("gRPC: %+v (%v)", f, status.Convert(err).Details())
	}
	answer := w.do(t, adminKey, "DELETE", "/v1/workspaces/"+other, "")
	if answer.status != 404 || answer.reason() != "WORKSPACE_NOT_FOUND" || answer.body["remedy"] != "List the workspaces." {
		t.Errorf("REST: %d %s", answer.status, answer.text)
	}
}

func TestTheCallerIsShownWhatItsKeyGrants(t *testing.T) {
	t.Parallel()
	w := newWorld(t, gateway.Deps{})
	for apiKey, kind := range map[string]string{adminKey: "admin", ownKey: "secret", publicKey: "public"} {
		got, err := gatewayv1.NewPlatformServiceClient(w.dial(t, apiKey)).GetCaller(t.Context(), &gatewayv1.GetCallerRequest{})
		if err != nil || got.GetKind() != kind || len(got.GetPermissions()) < 2 {
			t.Errorf("%s: %v, %v", kind, got, err)
		}
		answer := w.do(t, apiKey, "GET", "/v1/caller", "")
		if answer.status != 200 || answer.body["kid"] != got.GetKid() || answer.body["workspace"] != got.GetWorkspace() {
			t.Errorf("%s: %d %s", kind, answer.status, answer.text)
		}
	}
}

func TestThePlatformIsShownWithItsAbsentServices(t *testing.T) {
	t.Parallel()
	w := newWorld(t, gateway.Deps{})
	client := gatewayv1.NewPlatformServiceClient(w.dial(t, adminKey))
	servicetest.Eventually(t, func() error { // the gateway itself is not ready at once
		got, err := client.GetPlatform(t.Context(), &gatewayv1.GetPlatformRequest{})
		if err != nil {
			return err
		}
		ready := map[string]bool{}
		for _, s := range got.GetServices() {
			ready[s.GetService()] = s.GetReady()
			if s.GetReady() != (s.GetError() == "") {
				t.Errorf("%s is ready=%v with error %q", s.GetService(), s.GetReady(), s.GetError())
			}
		}
		if !ready["tenant"] || !ready["gateway"] || ready["backup"] || len(ready) != 5 {
			return fmt.Errorf("got %v", ready)
		}
		return nil
	})
}

func TestTwoGatewaysLiveInOneProcess(t *testing.T) {
	t.Parallel()
	a, b := newWorld(t, gateway.Deps{}), newWorld(t, gateway.Deps{})
	for _, w := range []*world{a, b} {
		if answer := w.do(t, ownKey, "GET", "/v1/caller", ""); answer.status != 200 {
			t.Errorf("%d %s", answer.status, answer.text)
		}
	}
}

func TestAStartThatFailedCanBeRepeated(t *testing.T) {
	t.Parallel()
	w := newWorld(t, gateway.Deps{}, func(c *gateway.Config) { c.DoorListen = fmt.Sprintf("127.0.0.1:%d", localtest.Port(t)) })
	s, err := gateway.New(w.config, gateway.Deps{})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start(t.Context()); err == nil {
		t.Fatal("two gateways have one port")
	}
	if s.Addr() != "" || s.DoorAddr() != "" {
		t.Errorf("after a failed start it listens at %q and %q", s.Addr(), s.DoorAddr())
	}
	stop(t, w.door)
	if err := s.Start(t.Context()); err != nil {
		t.Fatalf("second start: %v", err)
	}
	servicetest.Eventually(t, func() error { return s.Ready(t.Context()) })
	for range 2 { // and started again after a stop
		stop(t, s)
		stop(t, s)
		if err := s.Start(t.Context()); err != nil {
			t.Fatalf("start after a stop: %v", err)
		}
		w.door = s
		if answer := w.do(t, ownKey, "GET", "/v1/caller", ""); answer.status != 200 {
			t.Errorf("after another start: %d %s", answer.status, answer.text)
		}
	}
	stop(t, s)
	if err := s.Ready(t.Context()); err == nil {
		t.Error("a stopped gateway says that it is ready")
	}
}

func stop(t *testing.T, s *gateway.Service) {
	t.Helper()
	if err := s.Stop(context.Background()); err != nil {
		t.Errorf("stop: %v", err)
	}
}
