// Package api answers gRPC: it checks what the proto's rules cannot, calls the verbs, and converts. It holds no rule of
// alerting. The HTTP interface of Alertmanager is package v2 below.
package api

import (
	"context"
	"strings"

	"google.golang.org/grpc"

	"github.com/naksha-cloud/naksha/pkg/caller"
	"github.com/naksha-cloud/naksha/pkg/fault"
	"github.com/naksha-cloud/naksha/pkg/page"
	alertingv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/alerting/v1"
)

// Deps are what the API calls.
type Deps struct {
	Intake    Intake
	Incidents Incidents
	Desk      Desk
	Silences  Silences
	Mute      Mute
	Alerts    Alerts
}

// Register adds the three services.
func Register(r grpc.ServiceRegistrar, d Deps) {
	alertingv1.RegisterAlertServiceServer(r, &alerts{intake: d.Intake, store: d.Alerts})
	alertingv1.RegisterIncidentServiceServer(r, &incidents{store: d.Incidents, desk: d.Desk})
	alertingv1.RegisterSilenceServiceServer(r, &silences{store: d.Silences, mute: d.Mute})
}

// idOf cuts the id out of a resource name, `<collection>/{id}`. What is no UUID names nothing.
func idOf(name, collection string) (string, error) {
	id := strings.TrimPrefix(name, collection+"/")
	if !page.IsUUID(id) {
		return "", fault.NotFound(strings.ToUpper(strings.TrimSuffix(collection, "s"))+"_NOT_FOUND", "There is no %s.", name).
			WithRemedy("List the %s to see their names.", collection)
	}
	return id, nil
}

// who is the caller as people read it: what they say of themselves, else their key's id or their service.
func who(ctx context.Context, said string) string {
	if said = strings.TrimSpace(said); said != "" {
		return said
	}
	if c, ok := caller.From(ctx); ok && c.Principal != "" {
		return c.Principal
	}
	return "unknown"
}
