package cli

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"google.golang.org/grpc"

	tenantv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/tenant/v1"
)

const workspaceColumns = "name display_name plan state cell create_time"

func (a *App) workspaceCommand() *cobra.Command {
	c := &cobra.Command{Use: "workspace", Aliases: []string{"workspaces", "ws"}, Short: "Customers' isolated backends"}
	c.AddCommand(a.listWorkspaces(), a.getWorkspace(), a.createWorkspace(), a.deleteWorkspace())
	return c
}

func (a *App) listWorkspaces() *cobra.Command {
	var p pages
	var filter string
	return command(a, verb[*tenantv1.ListWorkspacesRequest, *tenantv1.ListWorkspacesResponse]{
		use: "list", short: "List live workspaces, newest first", columns: workspaceColumns,
		flags: func(c *cobra.Command) {
			p.flags(c)
			c.Flags().StringVar(&filter, "filter", "", `e.g. 'plan = "pro" AND state = "active"'`)
		},
		request: func([]string) (*tenantv1.ListWorkspacesRequest, error) {
			return &tenantv1.ListWorkspacesRequest{PageSize: p.size, PageToken: p.token, Filter: filter}, nil
		},
		client: func(c grpc.ClientConnInterface) rpc[*tenantv1.ListWorkspacesRequest, *tenantv1.ListWorkspacesResponse] {
			return tenantv1.NewWorkspaceServiceClient(c).ListWorkspaces
		},
	})
}

func (a *App) getWorkspace() *cobra.Command {
	return command(a, verb[*tenantv1.GetWorkspaceRequest, *tenantv1.GetWorkspaceResponse]{
		use: "get REF", short: "Show one workspace, and where its clients connect", args: cobra.ExactArgs(1),
		columns: workspaceColumns, after: a.showEndpoints,
		request: func(args []string) (*tenantv1.GetWorkspaceRequest, error) {
			return &tenantv1.GetWorkspaceRequest{Name: named("workspaces", args[0])}, nil
		},
		client: func(c grpc.ClientConnInterface) rpc[*tenantv1.GetWorkspaceRequest, *tenantv1.GetWorkspaceResponse] {
			return tenantv1.NewWorkspaceServiceClient(c).GetWorkspace
		},
	})
}

func (a *App) createWorkspace() *cobra.Command {
	var plan, requestID string
	c := command(a, verb[*tenantv1.CreateWorkspaceRequest, *tenantv1.CreateWorkspaceResponse]{
		use: "create NAME", short: "Make a workspace and show its credentials, once", args: cobra.ExactArgs(1),
		columns: workspaceColumns,
		flags: func(c *cobra.Command) {
			c.Flags().StringVar(&plan, "plan", "", "free, pro or enterprise; default free")
			c.Flags().StringVar(&requestID, "request-id", "", "UUID that makes a repeat return the same workspace")
		},
		request: func(args []string) (*tenantv1.CreateWorkspaceRequest, error) {
			return &tenantv1.CreateWorkspaceRequest{DisplayName: args[0], Plan: plan, RequestId: requestID}, nil
		},
		client: func(c grpc.ClientConnInterface) rpc[*tenantv1.CreateWorkspaceRequest, *tenantv1.CreateWorkspaceResponse] {
			return tenantv1.NewWorkspaceServiceClient(c).CreateWorkspace
		},
		after: a.showCredentials,
	})
	return c
}

// showCredentials writes a new workspace's secrets, and where they are of use, above the table; the other forms carry them already.
func (a *App) showCredentials(_ context.Context, r *tenantv1.CreateWorkspaceResponse) (*tenantv1.CreateWorkspaceResponse, error) {
	s := r.GetCredentials()
	if a.output != outputTable && a.output != "" {
		return r, nil
	}
	if s == nil {
		fmt.Fprintln(a.Err, "The credentials of this workspace were shown before and are withheld now. Make a new key, or rotate the login.")
		return r, nil
	}
	fmt.Fprintln(a.Err, "These credentials are shown once. Keep them now.")
	a.showLines(slices.Concat(
		[]line{{"database url", s.GetDatabaseUrl()}, {"ca certificate", authorityOf(s.GetDatabaseUrl())}},
		storageOf(r.GetWorkspace()),
		[]line{
			{"s3 access key id", s.GetS3AccessKeyId()},
			{"s3 secret access key", s.GetS3SecretAccessKey()},
			{"secret key", s.GetSecretKey()},
			{"public key", s.GetPublicKey()},
		}))
	return r, nil
}

// showEndpoints writes above the table where a live workspace's clients connect; the other forms carry it already.
func (a *App) showEndpoints(_ context.Context, r *tenantv1.GetWorkspaceResponse) (*tenantv1.GetWorkspaceResponse, error) {
	at := r.GetWorkspace().GetEndpoints()
	if a.output != outputTable && a.output != "" || r.GetWorkspace().GetState() != tenantv1.Workspace_STATE_ACTIVE {
		return r, nil
	}
	database := net.JoinHostPort(at.GetDatabaseHost(), strconv.Itoa(int(at.GetDatabasePort()))) + "/" + at.GetDatabaseName()
	a.showLines(slices.Concat([]line{{"database", database}, {"schema", at.GetDatabaseSchema()}}, storageOf(r.GetWorkspace())))
	return r, nil
}

// line is something to show, with its name before it.
type line struct{ name, text string }

func (a *App) showLines(all []line) {
	for _, l := range all {
		if l.text != "" {
			fmt.Fprintf(a.Out, "%-22s%s\n", l.name, clean(l.text))
		}
	}
	fmt.Fprintln(a.Out)
}

// storageOf is what an S3 client is told besides its key, which opens the bucket of the region primary alone.
func storageOf(w *tenantv1.Workspace) []line {
	return []line{
		{"s3 endpoint", w.GetEndpoints().GetS3Endpoints()["primary"]},
		{"s3 bucket", w.GetEndpoints().GetBucket()},
		{"s3 signing region", "us-east-1, unless your operator names another"},
	}
}

// authorityOf says where the certificates are by which a database URL has the server checked; empty where it names none,
// or those that every system knows.
func authorityOf(databaseURL string) string {
	u, err := url.Parse(databaseURL)
	if err != nil || !strings.HasPrefix(u.Query().Get("sslmode"), "verify-") {
		return ""
	}
	switch file := u.Query().Get("sslrootcert"); file {
	case "system":
		return ""
	case "":
		return "endpoints.caCertificate of `naksha workspace get -o json`: keep it as a file, add sslrootcert=FILE to the url"
	default:
		return file
	}
}

func (a *App) deleteWorkspace() *cobra.Command {
	return command(a, verb[*tenantv1.DeleteWorkspaceRequest, *tenantv1.DeleteWorkspaceResponse]{
		use: "delete REF", short: "Delete a workspace: its keys and logins are refused at once", args: cobra.ExactArgs(1),
		columns: workspaceColumns, sure: "This deletes workspace %s with its data and keys",
		request: func(args []string) (*tenantv1.DeleteWorkspaceRequest, error) {
			return &tenantv1.DeleteWorkspaceRequest{Name: named("workspaces", args[0])}, nil
		},
		client: func(c grpc.ClientConnInterface) rpc[*tenantv1.DeleteWorkspaceRequest, *tenantv1.DeleteWorkspaceResponse] {
			return tenantv1.NewWorkspaceServiceClient(c).DeleteWorkspace
		},
	})
}
