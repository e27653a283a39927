// Package peer is the gateway's side of its questions to other services.
package peer

import (
	"context"
	"strings"
	"time"

	"google.golang.org/grpc"

	"github.com/naksha-cloud/naksha/pkg/caller"
	"github.com/naksha-cloud/naksha/pkg/fault"
	tenantv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/tenant/v1"
	"github.com/naksha-cloud/naksha/services/gateway/internal/key"
)

// Keys asks the tenant service whose key a text is.
type Keys struct {
	conn func() (grpc.ClientConnInterface, error)
}

// NewKeys makes a Keys that finds its connection by conn.
func NewKeys(conn func() (grpc.ClientConnInterface, error)) Keys { return Keys{conn: conn} }

// Authenticate says whose key a text is; it fails with Unauthenticated for one that does not work.
func (k Keys) Authenticate(ctx context.Context, text string) (key.Identity, error) {
	conn, err := k.conn()
	if err != nil {
		return key.Identity{}, err
	}
	ctx = caller.With(ctx, caller.Caller{RequestID: caller.RequestID(ctx)}) // the gateway asks for itself
	reply, err := tenantv1.NewKeyServiceClient(conn).AuthenticateKey(ctx, &tenantv1.AuthenticateKeyRequest{Text: text})
	if err != nil {
		return key.Identity{}, err
	}
	return identity(reply)
}

func identity(reply *tenantv1.AuthenticateKeyResponse) (key.Identity, error) {
	who := key.Identity{KID: reply.GetKid(), Expires: expiry(reply)}
	switch reply.GetKind() {
	case tenantv1.Key_KIND_ADMIN:
		who.Kind = key.Admin
	case tenantv1.Key_KIND_SECRET:
		who.Kind = key.Secret
	case tenantv1.Key_KIND_PUBLIC:
		who.Kind = key.Public
	}
	ref, ok := strings.CutPrefix(reply.GetWorkspace(), "workspaces/")
	who.Workspace = ref
	switch {
	case who.KID == "" || who.Kind == "":
	case who.Kind == key.Admin && reply.GetWorkspace() == "":
		return who, nil
	case who.Kind != key.Admin && ok && ref != "":
		return who, nil
	}
	// An operator's key of a workspace, or a workspace's of none: whatever was meant, it must not become more than it is.
	return key.Identity{}, fault.Unavailable("AUTHENTICATION_UNAVAILABLE", "The answer about the API key makes no sense.")
}

func expiry(reply *tenantv1.AuthenticateKeyResponse) time.Time {
	if reply.GetExpireTime() == nil {
		return time.Time{}
	}
	return reply.GetExpireTime().AsTime()
}
