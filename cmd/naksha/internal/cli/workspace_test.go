package cli

import (
	"context"
	"strings"
	"testing"

	"google.golang.org/grpc"

	tenantv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/tenant/v1"
)

// house is tenant behind a gateway, with one workspace.
type house struct {
	tenantv1.UnimplementedWorkspaceServiceServer
	url   string // of its database
	state tenantv1.Workspace_State
}

func (h house) workspace() *tenantv1.Workspace {
	return &tenantv1.Workspace{Name: "workspaces/x", State: h.state, Endpoints: &tenantv1.Endpoints{
		DatabaseHost: "::1", DatabasePort: 7811, DatabaseName: "cell1", DatabaseSchema: "w_x", Bucket: "w-x",
		S3Endpoints: map[string]string{"primary": "http://here:7820", "dr": "http://here:7821"},
	}}
}

// CreateWorkspace shows it with its secrets.
func (h house) CreateWorkspace(context.Context, *tenantv1.CreateWorkspaceRequest) (*tenantv1.CreateWorkspaceResponse, error) {
	return &tenantv1.CreateWorkspaceResponse{
		Workspace: h.workspace(), Credentials: &tenantv1.Credentials{DatabaseUrl: h.url, S3AccessKeyId: "AK"},
	}, nil
}

// GetWorkspace shows it.
func (h house) GetWorkspace(context.Context, *tenantv1.GetWorkspaceRequest) (*tenantv1.GetWorkspaceResponse, error) {
	return &tenantv1.GetWorkspaceResponse{Workspace: h.workspace()}, nil
}

func (h house) serve(t *testing.T) target {
	t.Helper()
	return serve(t, func(s *grpc.Server) { tenantv1.RegisterWorkspaceServiceServer(s, h) })
}

func TestNewWorkspaceIsShownWithAllThatItsClientsNeed(t *testing.T) {
	t.Parallel()
	for url, authority := range map[string]string{
		"postgres://u:p@h/d?sslmode=verify-full&sslrootcert=%2Fpki%2Fca.crt": "/pki/ca.crt",
		"postgres://u:p@h/d?sslmode=verify-full":                             "endpoints.caCertificate",
		"postgres://u:p@h/d?sslmode=verify-full&sslrootcert=system":          "",
		"postgres://u:p@h/d": "",
	} {
		got := house{url: url}.serve(t).run(t.Context(), "workspace", "create", "shop")
		for _, want := range []string{url, "http://here:7820", "w-x", "us-east-1", "AK", authority} {
			if !strings.Contains(got.out, want) {
				t.Errorf("%s: %q is not in %s", url, want, got.out)
			}
		}
		if strings.Contains(got.out, "ca certificate") != (authority != "") || strings.Contains(got.out, "7821") {
			t.Errorf("%s: shows more than is of use: %s", url, got.out)
		}
	}
}

func TestLiveWorkspaceIsShownWithItsEndpoints(t *testing.T) {
	t.Parallel()
	live := house{state: tenantv1.Workspace_STATE_ACTIVE}.serve(t)
	got := live.run(t.Context(), "workspace", "get", "x")
	for _, want := range []string{"[::1]:7811/cell1", "w_x", "http://here:7820", "w-x", "us-east-1", "workspaces/x"} {
		if !strings.Contains(got.out, want) {
			t.Errorf("%q is not in %s", want, got.out)
		}
	}
	if got := live.run(t.Context(), "workspace", "get", "x", "-o", "name"); got.out != "workspaces/x\n" {
		t.Errorf("%+v", got)
	}
	deleted := house{state: tenantv1.Workspace_STATE_DELETED}.serve(t)
	if got := deleted.run(t.Context(), "workspace", "get", "x"); strings.Contains(got.out, "7820") {
		t.Errorf("endpoints of a deleted workspace: %s", got.out)
	}
}
