// Package api is the service's gRPC surface: it checks, calls a verb, and converts. It is the only package that speaks
// gRPC; who may call what is decided before it (package rpc, by the options of the protos).
package api

import (
	"context"

	"github.com/naksha-cloud/naksha/pkg/page"
	tenantv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/tenant/v1"
	"github.com/naksha-cloud/naksha/services/tenant/internal/claim"
	"github.com/naksha-cloud/naksha/services/tenant/internal/request"
	"github.com/naksha-cloud/naksha/services/tenant/internal/workspace"
)

// Creator creates workspaces.
type Creator interface {
	Create(ctx context.Context, o claim.Order) (claim.Outcome, error)
}

// WorkspaceStore reads workspaces and makes tombstones.
type WorkspaceStore interface {
	Workspace(ctx context.Context, ref string) (workspace.Workspace, error)
	Workspaces(ctx context.Context, f workspace.Filter, after page.Cursor, limit int) ([]workspace.Workspace, error)
	Delete(ctx context.Context, ref string, r request.Request) (workspace.Workspace, error)
}

// Workspaces implements naksha.tenant.v1.WorkspaceService.
type Workspaces struct {
	tenantv1.UnimplementedWorkspaceServiceServer
	Creator   Creator
	Store     WorkspaceStore
	Endpoints func(ref string) *tenantv1.Endpoints
	Deleted   func() // told after a tombstone is durable
}

// CreateWorkspace claims a complete slot.
func (s *Workspaces) CreateWorkspace(ctx context.Context, r *tenantv1.CreateWorkspaceRequest) (*tenantv1.CreateWorkspaceResponse, error) {
	id, err := requestOf(ctx, "CreateWorkspace", r)
	if err != nil {
		return nil, err
	}
	outcome, err := s.Creator.Create(ctx, claim.Order{DisplayName: r.GetDisplayName(), Plan: r.GetPlan(), Request: id})
	if err != nil {
		return nil, err
	}
	return &tenantv1.CreateWorkspaceResponse{
		Workspace: s.workspace(outcome.Workspace), Credentials: credentials(outcome.Credentials),
	}, nil
}

// GetWorkspace shows one workspace.
func (s *Workspaces) GetWorkspace(ctx context.Context, r *tenantv1.GetWorkspaceRequest) (*tenantv1.GetWorkspaceResponse, error) {
	ref, _ := workspace.ParseName(r.GetName())
	w, err := s.Store.Workspace(ctx, ref)
	if err != nil {
		return nil, err
	}
	return &tenantv1.GetWorkspaceResponse{Workspace: s.workspace(w)}, nil
}

// ListWorkspaces lists a page.
func (s *Workspaces) ListWorkspaces(ctx context.Context, r *tenantv1.ListWorkspacesRequest) (*tenantv1.ListWorkspacesResponse, error) {
	filter, err := workspace.ParseFilter(r.GetFilter())
	if err != nil {
		return nil, err
	}
	query := "workspaces?" + r.GetFilter()
	after, err := page.Parse(r.GetPageToken(), query, workspace.ValidRef)
	if err != nil {
		return nil, err
	}
	size := page.Size(r.GetPageSize())
	found, err := s.Store.Workspaces(ctx, filter, after, size+1)
	if err != nil {
		return nil, err
	}
	reply := &tenantv1.ListWorkspacesResponse{}
	if len(found) > size {
		found = found[:size]
		last := found[size-1]
		reply.NextPageToken = page.Cursor{Time: last.CreateTime, ID: last.Ref}.Token(query)
	}
	for _, w := range found {
		reply.Workspaces = append(reply.Workspaces, s.workspace(w))
	}
	return reply, nil
}

// DeleteWorkspace makes a tombstone; logins, sessions and S3 keys end right after.
func (s *Workspaces) DeleteWorkspace(ctx context.Context, r *tenantv1.DeleteWorkspaceRequest) (*tenantv1.DeleteWorkspaceResponse, error) {
	ref, _ := workspace.ParseName(r.GetName())
	id, err := requestOf(ctx, "DeleteWorkspace", r)
	if err != nil {
		return nil, err
	}
	w, err := s.Store.Delete(ctx, ref, id)
	if err != nil {
		return nil, err
	}
	s.Deleted()
	return &tenantv1.DeleteWorkspaceResponse{Workspace: s.workspace(w)}, nil
}
