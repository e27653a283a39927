// Package workspace owns what a workspace is: its ref and the names that follow from it, its states, the facts that are
// told of it, and how a list of them is filtered. It refuses refs that were not drawn by NewRef's rule.
package workspace

import (
	"time"

	"github.com/naksha-cloud/naksha/pkg/fault"
)

// State is what a workspace can do now.
type State string

// The states of a workspace; a later one never goes back to an earlier one.
const (
	Active  State = "active"  // usable
	Deleted State = "deleted" // tombstone: credentials refused, data not yet erased
	Erased  State = "erased"  // data erased; the ref stays taken
)

// Workspace is a customer's isolated backend.
type Workspace struct {
	Ref             string
	DisplayName     string // the customer's own words
	Plan            string // name of a plan
	State           State
	Cell            string     // id of the cell that holds its schema
	Server          string     // id of the server that holds the cell
	LoginGeneration int32      // generation of the login that the customer holds
	CreateTime      time.Time  // UTC
	DeleteTime      *time.Time // UTC; nil while live
}

// Created is the fact that a customer owns a workspace from now on.
type Created struct{ Workspace Workspace }

// Removed is the fact that a workspace's credentials are refused from now on.
type Removed struct {
	Ref string
	At  time.Time
}

// SchemaSwapped is the fact that a restored schema took the live one's place.
type SchemaSwapped struct {
	Ref        string
	RestoreID  string
	UndoSchema string
}

// NotFound is the answer to a ref that nobody owns.
func NotFound(ref string) error {
	return fault.NotFound("WORKSPACE_NOT_FOUND", "There is no workspace %s.", ref).
		WithRemedy("List the workspaces, and check the name.")
}

// Gone is the answer to an order on a deleted workspace.
func Gone(ref string) error {
	return fault.Precondition("WORKSPACE_DELETED", "The workspace %s is deleted.", ref).
		WithRemedy("Use another workspace: a deleted one does not come back.")
}
