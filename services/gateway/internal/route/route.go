// Package route is the table of what can be called through the door: each method that a proto declares, the service that
// owns it, and what a caller must be allowed. Whatever is not in the table does not exist.
package route

import (
	"maps"
	"slices"
	"strings"
)

// Method is one RPC.
type Method struct {
	FullName       string // "/naksha.tenant.v1.WorkspaceService/GetWorkspace"
	Permission     string // that the caller's role must grant; empty = not callable from outside
	WorkspaceField string // request field that names the workspace; empty = of no workspace
}

// Open says whether anybody outside may call the method at all.
func (m Method) Open() bool { return m.Permission != "" }

// Owner is the service that answers: the part of the package after `naksha.`. A method that every service implements
// (naksha.event.v1) has none of its own, and its request says which one is meant.
func (m Method) Owner() string {
	_, rest, _ := strings.Cut(m.FullName, "/naksha.")
	owner, _, _ := strings.Cut(rest, ".")
	if owner == "event" {
		return ""
	}
	return owner
}

// Table holds the methods by full name.
type Table map[string]Method

// Resolve finds a method that is open to callers. One that is declared for services alone is answered like one that
// does not exist: its name is nobody's business.
func (t Table) Resolve(name string) (m Method, ok bool) {
	m, ok = t[name]
	return m, ok && m.Open()
}

// Permissions are all that methods of the table declare, sorted.
func (t Table) Permissions() []string {
	found := map[string]bool{}
	for _, m := range t {
		if m.Open() {
			found[m.Permission] = true
		}
	}
	return slices.Sorted(maps.Keys(found))
}
