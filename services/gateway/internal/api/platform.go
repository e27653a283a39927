// Package api is the gateway's side of gRPC: the service that it offers itself. The transports of the door are in its
// subpackages: call is the pipeline, wire speaks gRPC, rest speaks JSON, door listens.
package api

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/naksha-cloud/naksha/pkg/caller"
	"github.com/naksha-cloud/naksha/pkg/fault"
	gatewayv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/gateway/v1"
	"github.com/naksha-cloud/naksha/services/gateway/internal/key"
)

// healthTimeout bounds the question to each service.
const healthTimeout = 2 * time.Second

// Platform answers PlatformService.
type Platform struct {
	gatewayv1.UnimplementedPlatformServiceServer
	Version     string
	Services    []string                                               // the platform's services by name
	Conns       func(service string) (grpc.ClientConnInterface, error) // how to ask another one
	Ready       func(ctx context.Context) error                        // the gateway's own readiness
	Permissions func(kind key.Kind) []string                           // what a kind of key grants, sorted
}

// GetPlatform asks every service at once; one that does not answer in time is not ready.
func (p *Platform) GetPlatform(ctx context.Context, _ *gatewayv1.GetPlatformRequest) (*gatewayv1.GetPlatformResponse, error) {
	ctx, cancel := context.WithTimeout(ctx, healthTimeout)
	defer cancel()
	statuses := make([]*gatewayv1.ServiceStatus, len(p.Services))
	var wg sync.WaitGroup
	for i, service := range p.Services {
		wg.Go(func() {
			trouble := p.troubleOf(ctx, service)
			statuses[i] = &gatewayv1.ServiceStatus{Service: service, Ready: trouble == "", Error: trouble}
		})
	}
	wg.Wait()
	slices.SortFunc(statuses, func(a, b *gatewayv1.ServiceStatus) int { return strings.Compare(a.GetService(), b.GetService()) })
	return &gatewayv1.GetPlatformResponse{Version: p.Version, Services: statuses}, nil
}

// troubleOf says why a service is not ready, in words that name no host; empty when it is.
func (p *Platform) troubleOf(ctx context.Context, service string) string {
	if service == "gateway" {
		if p.Ready(ctx) != nil {
			return "is not ready"
		}
		return ""
	}
	conn, err := p.Conns(service)
	if err != nil {
		return "is not configured"
	}
	reply, err := healthv1.NewHealthClient(conn).Check(ctx, &healthv1.HealthCheckRequest{})
	switch {
	case err != nil:
		return "does not answer: " + fault.ReasonOf(err)
	case reply.GetStatus() != healthv1.HealthCheckResponse_SERVING:
		return "says that it is " + reply.GetStatus().String()
	}
	return ""
}

// GetCaller shows who the caller is and what its key grants.
func (p *Platform) GetCaller(ctx context.Context, _ *gatewayv1.GetCallerRequest) (*gatewayv1.GetCallerResponse, error) {
	c, ok := caller.From(ctx)
	if !ok {
		return nil, key.Missing()
	}
	reply := &gatewayv1.GetCallerResponse{Kid: c.Principal, Kind: c.Kind, Permissions: p.Permissions(key.Kind(c.Kind))}
	if c.Workspace != "" {
		reply.Workspace = "workspaces/" + c.Workspace
	}
	return reply, nil
}
