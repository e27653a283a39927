package cli

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/durationpb"

	rotationv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/rotation/v1"
)

const (
	credentialColumns = "name active_generation active_time rotation"
	rotationColumns   = "name state old_generation new_generation create_time end_time blocked_reason"
)

func (a *App) credentialCommand() *cobra.Command {
	c := &cobra.Command{Use: "credential", Aliases: []string{"credentials"}, Short: "Credentials in generations: age, redemption, acknowledgement"}
	c.AddCommand(a.listCredentials(), a.getCredential(), a.redeemCredential(), a.acknowledgeCredential())
	return c
}

func (a *App) listCredentials() *cobra.Command {
	return command(a, verb[*rotationv1.ListCredentialsRequest, *rotationv1.ListCredentialsResponse]{
		use: "list OWNER", short: "List the credentials of workspaces/{ref} or servers/{id}", args: cobra.ExactArgs(1),
		columns: credentialColumns,
		request: func(args []string) (*rotationv1.ListCredentialsRequest, error) {
			return &rotationv1.ListCredentialsRequest{Parent: args[0]}, nil
		},
		client: func(c grpc.ClientConnInterface) rpc[*rotationv1.ListCredentialsRequest, *rotationv1.ListCredentialsResponse] {
			return rotationv1.NewCredentialServiceClient(c).ListCredentials
		},
	})
}

func (a *App) getCredential() *cobra.Command {
	return command(a, verb[*rotationv1.GetCredentialRequest, *rotationv1.GetCredentialResponse]{
		use: "get NAME", short: "Show one credential", args: cobra.ExactArgs(1), columns: credentialColumns,
		request: func(args []string) (*rotationv1.GetCredentialRequest, error) {
			return &rotationv1.GetCredentialRequest{Name: args[0]}, nil
		},
		client: func(c grpc.ClientConnInterface) rpc[*rotationv1.GetCredentialRequest, *rotationv1.GetCredentialResponse] {
			return rotationv1.NewCredentialServiceClient(c).GetCredential
		},
	})
}

func (a *App) redeemCredential() *cobra.Command {
	return command(a, verb[*rotationv1.RedeemCredentialRequest, *rotationv1.RedeemCredentialResponse]{
		use: "redeem NAME", short: "Fetch the newest announced generation", args: cobra.ExactArgs(1),
		columns: "generation user database_url",
		request: func(args []string) (*rotationv1.RedeemCredentialRequest, error) {
			return &rotationv1.RedeemCredentialRequest{Name: args[0]}, nil
		},
		client: func(c grpc.ClientConnInterface) rpc[*rotationv1.RedeemCredentialRequest, *rotationv1.RedeemCredentialResponse] {
			return rotationv1.NewCredentialServiceClient(c).RedeemCredential
		},
	})
}

func (a *App) acknowledgeCredential() *cobra.Command {
	var generation int32
	return command(a, verb[*rotationv1.AcknowledgeCredentialRequest, *rotationv1.AcknowledgeCredentialResponse]{
		use: "acknowledge NAME", short: "Say that a generation is in use", args: cobra.ExactArgs(1), columns: "rotation",
		flags: func(c *cobra.Command) {
			c.Flags().Int32Var(&generation, "generation", 0, "the generation that you use now")
			_ = c.MarkFlagRequired("generation")
		},
		request: func(args []string) (*rotationv1.AcknowledgeCredentialRequest, error) {
			return &rotationv1.AcknowledgeCredentialRequest{Name: args[0], Generation: generation}, nil
		},
		client: func(c grpc.ClientConnInterface) rpc[*rotationv1.AcknowledgeCredentialRequest, *rotationv1.AcknowledgeCredentialResponse] {
			return rotationv1.NewCredentialServiceClient(c).AcknowledgeCredential
		},
	})
}

func (a *App) rotationCommand() *cobra.Command {
	c := &cobra.Command{Use: "rotation", Aliases: []string{"rotations"}, Short: "Replacements of a credential, with proof that the old one is dead"}
	c.AddCommand(a.listRotations(), a.getRotation(), a.createRotation())
	return c
}

func (a *App) listRotations() *cobra.Command {
	var p pages
	return command(a, verb[*rotationv1.ListRotationsRequest, *rotationv1.ListRotationsResponse]{
		use: "list CREDENTIAL", short: "List a credential's rotations, newest first", args: cobra.ExactArgs(1),
		columns: rotationColumns, flags: p.flags,
		request: func(args []string) (*rotationv1.ListRotationsRequest, error) {
			return &rotationv1.ListRotationsRequest{Parent: args[0], PageSize: p.size, PageToken: p.token}, nil
		},
		client: func(c grpc.ClientConnInterface) rpc[*rotationv1.ListRotationsRequest, *rotationv1.ListRotationsResponse] {
			return rotationv1.NewRotationServiceClient(c).ListRotations
		},
	})
}

func (a *App) getRotation() *cobra.Command {
	return command(a, verb[*rotationv1.GetRotationRequest, *rotationv1.GetRotationResponse]{
		use: "get NAME", short: "Show one rotation; -o json shows its evidence", args: cobra.ExactArgs(1), columns: rotationColumns,
		request: func(args []string) (*rotationv1.GetRotationRequest, error) {
			return &rotationv1.GetRotationRequest{Name: args[0]}, nil
		},
		client: func(c grpc.ClientConnInterface) rpc[*rotationv1.GetRotationRequest, *rotationv1.GetRotationResponse] {
			return rotationv1.NewRotationServiceClient(c).GetRotation
		},
	})
}

func (a *App) createRotation() *cobra.Command {
	var quiet, deadline time.Duration
	var given func(flag string) bool
	return command(a, verb[*rotationv1.CreateRotationRequest, *rotationv1.CreateRotationResponse]{
		use: "create CREDENTIAL", short: "Start a rotation of a credential", args: cobra.ExactArgs(1), columns: rotationColumns,
		flags: func(c *cobra.Command) {
			c.Flags().DurationVar(&quiet, "quiet-window", 0, "how long no old session may be seen, 0s to 24h; default 30s")
			c.Flags().DurationVar(&deadline, "deadline", 0, "after how long it waits for a person, 1s to 720h; default 24h")
			given = c.Flags().Changed
		},
		request: func(args []string) (*rotationv1.CreateRotationRequest, error) {
			q := &rotationv1.CreateRotationRequest{Parent: args[0]}
			if given("quiet-window") {
				q.QuietWindow = durationpb.New(quiet)
			}
			if given("deadline") {
				q.Deadline = durationpb.New(deadline)
			}
			return q, nil
		},
		client: func(c grpc.ClientConnInterface) rpc[*rotationv1.CreateRotationRequest, *rotationv1.CreateRotationResponse] {
			return rotationv1.NewRotationServiceClient(c).CreateRotation
		},
		after: a.tellSteps,
	})
}

// tellSteps says what a rotation waits for. The platform itself follows that of a server's credential.
func (a *App) tellSteps(_ context.Context, r *rotationv1.CreateRotationResponse) (*rotationv1.CreateRotationResponse, error) {
	name := r.GetRotation().GetName()
	credential, _, _ := strings.Cut(name, "/rotations/")
	if strings.HasPrefix(name, "workspaces/") {
		fmt.Fprintf(a.Err, "Next: fetch the new login with `naksha credential redeem %s`, use it,\n"+
			"and say so with `naksha credential acknowledge %s --generation N`.\n", credential, credential)
	}
	fmt.Fprintf(a.Err, "See how far it is with `naksha rotation get %s`.\n", name)
	return r, nil
}
