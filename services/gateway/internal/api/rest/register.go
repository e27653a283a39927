package rest

import (
	"context"
	"errors"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/grpc"

	alertingv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/alerting/v1"
	backupv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/backup/v1"
	eventv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/event/v1"
	gatewayv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/gateway/v1"
	rotationv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/rotation/v1"
	tenantv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/tenant/v1"
	alertinggw "github.com/naksha-cloud/naksha/services/gateway/internal/gen/naksha/alerting/v1"
	backupgw "github.com/naksha-cloud/naksha/services/gateway/internal/gen/naksha/backup/v1"
	eventgw "github.com/naksha-cloud/naksha/services/gateway/internal/gen/naksha/event/v1"
	gatewaygw "github.com/naksha-cloud/naksha/services/gateway/internal/gen/naksha/gateway/v1"
	rotationgw "github.com/naksha-cloud/naksha/services/gateway/internal/gen/naksha/rotation/v1"
	tenantgw "github.com/naksha-cloud/naksha/services/gateway/internal/gen/naksha/tenant/v1"
)

// register adds the translation of every service. A test walks the protos, so that none is forgotten.
func register(mux *runtime.ServeMux, c grpc.ClientConnInterface) error {
	ctx := context.Background() // the generated functions take one and do not use it
	return errors.Join(
		tenantgw.RegisterWorkspaceServiceHandlerClient(ctx, mux, tenantv1.NewWorkspaceServiceClient(c)),
		tenantgw.RegisterKeyServiceHandlerClient(ctx, mux, tenantv1.NewKeyServiceClient(c)),
		backupgw.RegisterSnapshotServiceHandlerClient(ctx, mux, backupv1.NewSnapshotServiceClient(c)),
		backupgw.RegisterRestoreServiceHandlerClient(ctx, mux, backupv1.NewRestoreServiceClient(c)),
		rotationgw.RegisterCredentialServiceHandlerClient(ctx, mux, rotationv1.NewCredentialServiceClient(c)),
		rotationgw.RegisterRotationServiceHandlerClient(ctx, mux, rotationv1.NewRotationServiceClient(c)),
		alertinggw.RegisterAlertServiceHandlerClient(ctx, mux, alertingv1.NewAlertServiceClient(c)),
		alertinggw.RegisterIncidentServiceHandlerClient(ctx, mux, alertingv1.NewIncidentServiceClient(c)),
		alertinggw.RegisterSilenceServiceHandlerClient(ctx, mux, alertingv1.NewSilenceServiceClient(c)),
		eventgw.RegisterEventServiceHandlerClient(ctx, mux, eventv1.NewEventServiceClient(c)),
		gatewaygw.RegisterPlatformServiceHandlerClient(ctx, mux, gatewayv1.NewPlatformServiceClient(c)),
	)
}
