// Package authorize decides whether a caller may call a method, by the roles' data alone. It denies by default and says
// why: the reason is the error's, the metric's and the log's.
package authorize

import (
	"google.golang.org/grpc/codes"

	"github.com/naksha-cloud/naksha/pkg/fault"
	"github.com/naksha-cloud/naksha/services/gateway/internal/key"
	"github.com/naksha-cloud/naksha/services/gateway/internal/permission"
	"github.com/naksha-cloud/naksha/services/gateway/internal/route"
)

// Reason is why a call is let through or not.
type Reason string

// The reasons.
const (
	Granted           Reason = "GRANTED"
	MethodUnknown     Reason = "METHOD_UNKNOWN"
	PermissionMissing Reason = "PERMISSION_MISSING"
	WorkspaceForeign  Reason = "WORKSPACE_FOREIGN"
)

// Permission decides by the method alone, before the request is looked at.
func Permission(roles permission.Roles, who key.Identity, m route.Method) (bool, Reason) {
	switch {
	case !m.Open():
		return false, MethodUnknown
	case !roles.Grants(who.Kind, m):
		return false, PermissionMissing
	}
	return true, Granted
}

// Workspace decides by the workspace that the request names; ref is empty when it names none.
func Workspace(roles permission.Roles, who key.Identity, m route.Method, ref string) (bool, Reason) {
	if m.WorkspaceField == "" || !roles.Bound(who.Kind) {
		return true, Granted
	}
	if who.Workspace == "" || ref != who.Workspace {
		return false, WorkspaceForeign
	}
	return true, Granted
}

// Refusal is what the caller is told.
func Refusal(reason Reason, who key.Identity, m route.Method) *fault.Fault {
	switch reason {
	case PermissionMissing:
		return fault.Denied(string(reason), "This key does not grant %s.", m.Permission).
			WithRemedy("Use a key that does: GET /v1/caller shows what a key grants.")
	case WorkspaceForeign:
		return fault.Denied(string(reason), "This key belongs to another workspace than the one that the request names.").
			WithRemedy("Name workspaces/%s in %s, or use that workspace's key.", who.Workspace, m.WorkspaceField)
	default:
		return Unknown()
	}
}

// Unknown says that there is no such method, or none that is open to callers.
func Unknown() *fault.Fault {
	return fault.New(codes.Unimplemented, string(MethodUnknown), "There is no such method.").
		WithRemedy("Look it up in /openapi.json or by gRPC reflection.")
}
