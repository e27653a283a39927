package cell

import (
	"strconv"
	"time"

	"github.com/naksha-cloud/naksha/pkg/fault"
	"github.com/naksha-cloud/naksha/services/tenant/internal/workspace"
)

// retryAfter is when it is worth trying a cell again.
const retryAfter = 5 * time.Second

// Owner is whose logins are meant: a workspace's, or backup's reading ones on a server. One of the two is set.
type Owner struct {
	Ref    string // of a workspace
	Server string // id
}

// ParseOwner reads `workspaces/{ref}` or `servers/{id}`.
func ParseOwner(name string) (Owner, error) {
	if ref, ok := workspace.ParseName(name); ok {
		return Owner{Ref: ref}, nil
	}
	if id, ok := ParseServer(name); ok {
		return Owner{Server: id}, nil
	}
	return Owner{}, fault.Invalid("OWNER_INVALID", "The owner is malformed.").
		WithRemedy("Write workspaces/{ref} or servers/{id}.").WithField("owner", "must be workspaces/{ref} or servers/{id}")
}

// Name is the owner's resource name.
func (o Owner) Name() string {
	if o.Ref != "" {
		return workspace.Name(o.Ref)
	}
	return ServerName(o.Server)
}

// Prefix is what all of the owner's login roles start with; the generation follows.
func (o Owner) Prefix() string {
	if o.Ref != "" {
		return workspace.Schema(o.Ref) + "_g"
	}
	return readerPrefix
}

// readerPrefix starts the names of backup's reading logins.
const readerPrefix = "naksha_backup_g"

// Role is the login role of a generation.
func (o Owner) Role(generation int32) string { return o.Prefix() + strconv.Itoa(int(generation)) }

// Login is one generation of a login role at the server.
type Login struct {
	Role       string
	Generation int32
	Enabled    bool
	Sessions   int32      // open now
	LastSeen   *time.Time // when a session was last seen, UTC; nil = never
}

// LoginNotFound is the answer to a generation that does not exist at the server.
func LoginNotFound(role string) error {
	return fault.NotFound("LOGIN_NOT_FOUND", "There is no login %s.", role).WithRemedy("Install it first.")
}
