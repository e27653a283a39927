package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"
	"google.golang.org/grpc"

	eventv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/event/v1"
)

const letterColumns = "name event.aggregate event.version event.type attempts rejected create_time error"

func (a *App) deadLetterCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "dead-letter", Aliases: []string{"dead-letters"}, Short: "Facts that a service could not take, and what waits behind them",
	}
	c.AddCommand(a.listDeadLetters(), a.getDeadLetter(), a.replayDeadLetter(), a.deleteDeadLetter())
	return c
}

func (a *App) listDeadLetters() *cobra.Command {
	var p pages
	var aggregate string
	return command(a, verb[*eventv1.ListDeadLettersRequest, *eventv1.ListDeadLettersResponse]{
		use: "list SERVICE", short: "List a service's dead letters, newest first", args: cobra.ExactArgs(1), columns: letterColumns,
		flags: func(c *cobra.Command) {
			p.flags(c)
			c.Flags().StringVar(&aggregate, "aggregate", "", "only those of this resource, e.g. workspaces/{ref}")
		},
		request: func(args []string) (*eventv1.ListDeadLettersRequest, error) {
			return &eventv1.ListDeadLettersRequest{
				Parent: named("services", args[0]), PageSize: p.size, PageToken: p.token, Aggregate: aggregate,
			}, nil
		},
		client: func(c grpc.ClientConnInterface) rpc[*eventv1.ListDeadLettersRequest, *eventv1.ListDeadLettersResponse] {
			return eventv1.NewEventServiceClient(c).ListDeadLetters
		},
	})
}

func (a *App) getDeadLetter() *cobra.Command {
	c := command(a, verb[*eventv1.GetDeadLetterRequest, *eventv1.GetDeadLetterResponse]{
		use: "get NAME", short: "Show one dead letter with its fact, services/{service}/deadLetters/{id}", args: cobra.ExactArgs(1),
		columns: letterColumns + " payload_json",
		request: func(args []string) (*eventv1.GetDeadLetterRequest, error) {
			return &eventv1.GetDeadLetterRequest{Name: args[0]}, nil
		},
		client: func(c grpc.ClientConnInterface) rpc[*eventv1.GetDeadLetterRequest, *eventv1.GetDeadLetterResponse] {
			return eventv1.NewEventServiceClient(c).GetDeadLetter
		},
	})
	c.Aliases = []string{"show"}
	return c
}

func (a *App) replayDeadLetter() *cobra.Command {
	return command(a, verb[*eventv1.ReplayDeadLetterRequest, *eventv1.ReplayDeadLetterResponse]{
		use: "replay NAME", short: "Take the dead letters of its resource again, in order", args: cobra.ExactArgs(1),
		columns: "replayed_count " + letterColumns,
		request: func(args []string) (*eventv1.ReplayDeadLetterRequest, error) {
			return &eventv1.ReplayDeadLetterRequest{Name: args[0]}, nil
		},
		client: func(c grpc.ClientConnInterface) rpc[*eventv1.ReplayDeadLetterRequest, *eventv1.ReplayDeadLetterResponse] {
			return eventv1.NewEventServiceClient(c).ReplayDeadLetter
		},
		after: func(_ context.Context, r *eventv1.ReplayDeadLetterResponse) (*eventv1.ReplayDeadLetterResponse, error) {
			fmt.Fprintln(a.Err, "taken:", r.GetReplayedCount())
			if r.GetDeadLetter() == nil {
				return r, nil
			}
			return r, errors.Join(a.print(r, letterColumns), toldError{partialError{
				fmt.Errorf("%s failed again: %s", r.GetDeadLetter().GetName(), r.GetDeadLetter().GetError()),
			}})
		},
	})
}

func (a *App) deleteDeadLetter() *cobra.Command {
	c := command(a, verb[*eventv1.DeleteDeadLetterRequest, *eventv1.DeleteDeadLetterResponse]{
		use: "delete NAME", short: "Drop a dead letter without its effect; replay what waits behind it", args: cobra.ExactArgs(1),
		columns: letterColumns, sure: "This drops %s for good",
		request: func(args []string) (*eventv1.DeleteDeadLetterRequest, error) {
			return &eventv1.DeleteDeadLetterRequest{Name: args[0]}, nil
		},
		client: func(c grpc.ClientConnInterface) rpc[*eventv1.DeleteDeadLetterRequest, *eventv1.DeleteDeadLetterResponse] {
			return eventv1.NewEventServiceClient(c).DeleteDeadLetter
		},
	})
	c.Aliases = []string{"drop"}
	return c
}
