package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"
	"google.golang.org/grpc"

	gatewayv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/gateway/v1"
	tenantv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/tenant/v1"
)

const keyColumns = "name kind display_name create_time expire_time revoke_time"

func (a *App) keyCommand() *cobra.Command {
	c := &cobra.Command{Use: "key", Aliases: []string{"keys"}, Short: "API keys of a workspace"}
	c.AddCommand(a.listKeys(), a.createKey(), a.deleteKey())
	return c
}

func (a *App) listKeys() *cobra.Command {
	var p pages
	return command(a, verb[*tenantv1.ListKeysRequest, *tenantv1.ListKeysResponse]{
		use: "list WORKSPACE", short: "List a workspace's keys, newest first", args: cobra.ExactArgs(1), columns: keyColumns,
		flags: p.flags,
		request: func(args []string) (*tenantv1.ListKeysRequest, error) {
			return &tenantv1.ListKeysRequest{Parent: named("workspaces", args[0]), PageSize: p.size, PageToken: p.token}, nil
		},
		client: func(c grpc.ClientConnInterface) rpc[*tenantv1.ListKeysRequest, *tenantv1.ListKeysResponse] {
			return tenantv1.NewKeyServiceClient(c).ListKeys
		},
	})
}

func (a *App) createKey() *cobra.Command {
	var public bool
	var name string
	return command(a, verb[*tenantv1.CreateKeyRequest, *tenantv1.CreateKeyResponse]{
		use: "create WORKSPACE", short: "Make a key and show its text, once", args: cobra.ExactArgs(1), columns: keyColumns,
		flags: func(c *cobra.Command) {
			c.Flags().BoolVar(&public, "public", false, "a key that shows the workspace and does nothing else, instead of a secret one")
			c.Flags().StringVar(&name, "name", "", "words to remember it by")
		},
		request: func(args []string) (*tenantv1.CreateKeyRequest, error) {
			kind := tenantv1.Key_KIND_SECRET
			if public {
				kind = tenantv1.Key_KIND_PUBLIC
			}
			return &tenantv1.CreateKeyRequest{Parent: named("workspaces", args[0]), Kind: kind, DisplayName: name}, nil
		},
		client: func(c grpc.ClientConnInterface) rpc[*tenantv1.CreateKeyRequest, *tenantv1.CreateKeyResponse] {
			return tenantv1.NewKeyServiceClient(c).CreateKey
		},
		after: func(_ context.Context, r *tenantv1.CreateKeyResponse) (*tenantv1.CreateKeyResponse, error) {
			if a.output == outputTable || a.output == "" {
				fmt.Fprintln(a.Err, "This key is shown once. Keep it now.")
				fmt.Fprintf(a.Out, "%s\n\n", r.GetText())
			}
			return r, nil
		},
	})
}

func (a *App) deleteKey() *cobra.Command {
	return command(a, verb[*tenantv1.DeleteKeyRequest, *tenantv1.DeleteKeyResponse]{
		use: "delete NAME", short: "Revoke a key, workspaces/{ref}/keys/{kid}", args: cobra.ExactArgs(1), columns: keyColumns,
		sure: "This revokes %s for good",
		request: func(args []string) (*tenantv1.DeleteKeyRequest, error) {
			return &tenantv1.DeleteKeyRequest{Name: args[0]}, nil
		},
		client: func(c grpc.ClientConnInterface) rpc[*tenantv1.DeleteKeyRequest, *tenantv1.DeleteKeyResponse] {
			return tenantv1.NewKeyServiceClient(c).DeleteKey
		},
	})
}

func (a *App) whoamiCommand() *cobra.Command {
	return command(a, verb[*gatewayv1.GetCallerRequest, *gatewayv1.GetCallerResponse]{
		use: "whoami", short: "Show which key is presented and what it may do", columns: "kid kind workspace permissions",
		request: func([]string) (*gatewayv1.GetCallerRequest, error) { return &gatewayv1.GetCallerRequest{}, nil },
		client: func(c grpc.ClientConnInterface) rpc[*gatewayv1.GetCallerRequest, *gatewayv1.GetCallerResponse] {
			return gatewayv1.NewPlatformServiceClient(c).GetCaller
		},
	})
}
