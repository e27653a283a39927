// Package credential is what proves who a client is, and who holds it. It owns names and holders; it refuses a name of
// no known kind. Secrets are package generation's.
package credential

import (
	"strings"
	"time"

	"github.com/naksha-cloud/naksha/pkg/fault"
)

// Kind says what a credential opens; the driver follows from it.
type Kind string

// The kinds of credential.
const (
	Database     Kind = "database"      // a workspace's login roles at its cell
	BackupReader Kind = "backup-reader" // backup's reading login roles at a server
)

// External is the holder of customers' credentials: whoever has a key of the workspace with the permission.
const External = "external"

// Name is a resource name, `workspaces/{ref}/credentials/database` or `servers/{id}/credentials/backup-reader`.
type Name string

// Credential is a credential as it stands.
type Credential struct {
	Name       Name
	Active     int32     // generation that holders use now; 0 = none yet
	ActiveAt   time.Time // since when, UTC; zero while there is none
	Last       int32     // highest number ever given to a generation: numbers are never used twice
	RetiredAt  time.Time // when its owner was deleted, UTC; zero = it lives
	RotationID string    // rotation that is under way; empty = none
}

// ForWorkspace names the database credential of a workspace, given as `workspaces/{ref}`.
func ForWorkspace(workspace string) Name { return Name(workspace + separator + string(Database)) }

// ForServer names the credential that backup reads a server with, given as `servers/{id}`.
func ForServer(server string) Name { return Name(server + separator + string(BackupReader)) }

const separator = "/credentials/"

// Parse reads a resource name; what no credential can be called is not found.
func Parse(s string) (Name, error) {
	n := Name(s)
	owner, collection := n.Owner(), ""
	if i := strings.IndexByte(owner, '/'); i > 0 {
		collection = owner[:i]
	}
	switch {
	case collection == "workspaces" && n.Kind() == Database, collection == "servers" && n.Kind() == BackupReader:
		return n, nil
	}
	return "", Unknown(n)
}

// Unknown is the fault for a credential that does not exist.
func Unknown(n Name) *fault.Fault {
	return fault.NotFound("CREDENTIAL_UNKNOWN", "There is no credential %s.", n).
		WithRemedy("List the owner's credentials; those of a new workspace appear a moment after it.")
}

// Retired is the fault for a credential whose owner was deleted.
func Retired(n Name) *fault.Fault {
	return fault.Precondition("CREDENTIAL_RETIRED", "The credential %s ended with its owner.", n).
		WithRemedy("Use the credential of a living workspace or server.")
}

// Owner is the resource that the credential opens, `workspaces/{ref}` or `servers/{id}`.
func (n Name) Owner() string {
	owner, _, _ := strings.Cut(string(n), separator)
	return owner
}

// Kind is the last part of the name.
func (n Name) Kind() Kind {
	_, kind, _ := strings.Cut(string(n), separator)
	return Kind(kind)
}

// Workspace is the ref of the workspace that it belongs to; empty for the platform's own.
func (n Name) Workspace() string {
	ref, ok := strings.CutPrefix(n.Owner(), "workspaces/")
	if !ok {
		return ""
	}
	return ref
}

// Holder is who may redeem and acknowledge it: External, or the name of the one service that uses it.
func (n Name) Holder() string {
	if n.Kind() == BackupReader {
		return "backup"
	}
	return External
}

// CheckHolder refuses everybody but the holder. service is the caller's name when a service asks for itself, else "".
func (n Name) CheckHolder(service string) error {
	holder := n.Holder()
	if holder == External && service == "" || holder == service {
		return nil
	}
	return fault.Denied("HOLDER_MISMATCH", "The credential %s is held by somebody else.", n).
		WithRemedy("Only its holder may redeem or acknowledge it: %s.", holder)
}
