package authorize_test

import (
	"testing"

	"github.com/naksha-cloud/naksha/services/gateway/internal/authorize"
	"github.com/naksha-cloud/naksha/services/gateway/internal/key"
	"github.com/naksha-cloud/naksha/services/gateway/internal/permission"
	"github.com/naksha-cloud/naksha/services/gateway/internal/route"
)

// reference is the decision in the words of the design, without roles as data.
func reference(who key.Identity, m route.Method, ref string) bool {
	if m.Permission == "" {
		return false
	}
	mine := m.WorkspaceField == "" || ref != "" && ref == who.Workspace
	switch who.Kind {
	case key.Admin:
		return true
	case key.Secret:
		return mine && (m.WorkspaceField != "" || m.Permission == "gateway.caller.get")
	case key.Public:
		return mine && (m.Permission == "gateway.caller.get" || m.Permission == "tenant.workspaces.get")
	}
	return false
}

func TestRolesDecideAsTheDesignSays(t *testing.T) {
	t.Parallel()
	roles, decided := permission.Default(), 0
	for _, kind := range []key.Kind{key.Admin, key.Secret, key.Public, "", "root", "ADMIN"} {
		for _, workspace := range []string{"", "a", "b"} {
			for _, granted := range []string{"", "gateway.caller.get", "tenant.workspaces.get", "tenant.keys.create", "gateway.platform.get"} {
				for _, field := range []string{"", "name"} {
					for _, ref := range []string{"", "a", "b", "A", "a "} {
						who, m := key.Identity{KID: "k", Kind: kind, Workspace: workspace}, route.Method{Permission: granted, WorkspaceField: field}
						ok, reason := authorize.Permission(roles, who, m)
						if ok {
							ok, reason = authorize.Workspace(roles, who, m, ref)
						}
						if ok != reference(who, m, ref) || ok != (reason == authorize.Granted) {
							t.Errorf("%+v on %+v naming %q: %v %s", who, m, ref, ok, reason)
						}
						if f := authorize.Refusal(reason, who, m); !ok && (f.Reason != string(reason) || f.Remedy == "") {
							t.Errorf("%s is told as %v", reason, f)
						}
						decided++
					}
				}
			}
		}
	}
	if decided != 900 {
		t.Errorf("%d decisions", decided)
	}
}
