package rpc

import (
	"context"
	"errors"

	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	"google.golang.org/protobuf/proto"

	"github.com/naksha-cloud/naksha/pkg/caller"
	"github.com/naksha-cloud/naksha/pkg/fault"
	"github.com/naksha-cloud/naksha/pkg/rpc/pki"
)

// Gateway is the service whose word about callers is believed.
const Gateway = "gateway"

// Trust decides who calls method; an error refuses the call.
type Trust func(ctx context.Context, method Method) (caller.Caller, error)

// TrustCertificates is the default Trust: the peer's certificate names a service; the gateway may call whatever declares
// a permission, for the caller that it names; another service only what lists it, as itself.
func TrustCertificates(ctx context.Context, method Method) (caller.Caller, error) {
	service, err := peerService(ctx)
	if err != nil {
		return caller.Caller{}, fault.Unauthenticated("PEER_UNKNOWN", "The connection does not prove which service calls.").
			WithRemedy("Connect with a certificate of the platform's CA.").WithCause(err)
	}
	self := caller.Caller{Principal: service, Kind: caller.Service, Service: service}
	if service != Gateway {
		return allowSelf(self, method)
	}
	return trustGateway(ctx, self, method)
}

// trustGateway believes the caller that the gateway names; without one, the gateway asks for itself.
func trustGateway(ctx context.Context, self caller.Caller, method Method) (caller.Caller, error) {
	md, _ := metadata.FromIncomingContext(ctx)
	named, ok, err := caller.FromMetadata(md)
	switch {
	case err != nil:
		return caller.Caller{}, fault.Invalid("CALLER_MALFORMED", "The caller's metadata is malformed.").WithCause(err)
	case ok && method.Permission != "":
		named.Service = self.Service
		return named, nil
	default:
		return allowSelf(self, method)
	}
}

func allowSelf(self caller.Caller, method Method) (caller.Caller, error) {
	if !method.Allows(self.Service) {
		return caller.Caller{}, fault.Denied("CALLER_NOT_ALLOWED", "The service %s may not call this method.", self.Service).
			WithRemedy("Call it through the gateway, or list the service in the method's callers.")
	}
	return self, nil
}

// peerService is the service that the verified client certificate names.
func peerService(ctx context.Context) (string, error) {
	p, ok := peer.FromContext(ctx)
	if !ok {
		return "", errors.New("no peer in context")
	}
	info, ok := p.AuthInfo.(credentials.TLSInfo)
	if !ok || len(info.State.VerifiedChains) == 0 {
		return "", errors.New("no verified client certificate")
	}
	return pki.ServiceOf(info.State.PeerCertificates[0])
}

// checkWorkspace refuses a workspace's caller that names another workspace or a method for operators. The gateway has
// checked this before; a second wall costs nothing.
func checkWorkspace(c caller.Caller, method Method, request any) error {
	if c.Workspace == "" {
		return nil
	}
	message, ok := request.(proto.Message)
	if !ok {
		return fault.Denied("WORKSPACE_MISMATCH", "The caller may not use this method.")
	}
	if ref, ok := WorkspaceOf(message, method.WorkspaceField); !ok || ref != c.Workspace {
		return fault.Denied("WORKSPACE_MISMATCH", "The caller belongs to another workspace.").
			WithRemedy("Name the workspace that the key belongs to.")
	}
	return nil
}
