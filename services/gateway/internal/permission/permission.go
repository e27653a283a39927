// Package permission says what each role grants. Roles are data: a table of rules, not code per method.
package permission

import (
	"slices"

	"github.com/naksha-cloud/naksha/services/gateway/internal/key"
	"github.com/naksha-cloud/naksha/services/gateway/internal/route"
)

// Role is what the keys of one kind may do.
type Role struct {
	All       bool     // every permission
	Workspace bool     // every permission of methods that name a workspace
	Named     []string // these permissions as well
	Own       bool     // only on the key's own workspace, wherever a method names one
}

// Roles are the roles by kind of key.
type Roles map[key.Kind]Role

// Default are the platform's roles. A kind that is not here may do nothing.
func Default() Roles {
	return Roles{
		key.Admin:  {All: true},
		key.Secret: {Workspace: true, Own: true, Named: []string{"gateway.caller.get"}},
		key.Public: {Own: true, Named: []string{"gateway.caller.get", "tenant.workspaces.get"}},
	}
}

// Grants reports whether the role of kind holds the method's permission.
func (r Roles) Grants(kind key.Kind, m route.Method) bool {
	role, ok := r[kind]
	switch {
	case !ok || !m.Open():
		return false
	case role.All:
		return true
	case role.Workspace && m.WorkspaceField != "":
		return true
	}
	return slices.Contains(role.Named, m.Permission)
}

// Bound reports whether kind may only name its own workspace.
func (r Roles) Bound(kind key.Kind) bool {
	role, ok := r[kind]
	return !ok || role.Own
}

// Of lists the permissions that kind grants, sorted.
func (r Roles) Of(kind key.Kind, methods route.Table) []string {
	granted := []string{}
	for _, m := range methods {
		if r.Grants(kind, m) && !slices.Contains(granted, m.Permission) {
			granted = append(granted, m.Permission)
		}
	}
	slices.Sort(granted)
	return granted
}
