package cli

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/spf13/cobra"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/timestamppb"

	alertingv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/alerting/v1"
)

const silenceColumns = "name matchers start_time end_time comment"

// longestSilence bounds a silence that is made by hand: what shall be silent for longer is better not raised.
const longestSilence = 365 * 24 * time.Hour

func (a *App) silenceCommand() *cobra.Command {
	c := &cobra.Command{Use: "silence", Aliases: []string{"silences"}, Short: "Mute alerts by their labels for a time"}
	c.AddCommand(a.listSilences(), a.createSilence(), a.deleteSilence())
	return c
}

func (a *App) listSilences() *cobra.Command {
	return command(a, verb[*alertingv1.ListSilencesRequest, *alertingv1.ListSilencesResponse]{
		use: "list", short: "List silences that have not ended", columns: silenceColumns,
		request: func([]string) (*alertingv1.ListSilencesRequest, error) { return &alertingv1.ListSilencesRequest{}, nil },
		client: func(c grpc.ClientConnInterface) rpc[*alertingv1.ListSilencesRequest, *alertingv1.ListSilencesResponse] {
			return alertingv1.NewSilenceServiceClient(c).ListSilences
		},
	})
}

func (a *App) createSilence() *cobra.Command {
	var duration time.Duration
	var comment string
	return command(a, verb[*alertingv1.CreateSilenceRequest, *alertingv1.CreateSilenceResponse]{
		use: "create LABEL=VALUE …", short: "Mute alerts that have all these labels", args: cobra.MinimumNArgs(1),
		columns: silenceColumns,
		flags: func(c *cobra.Command) {
			c.Flags().DurationVar(&duration, "for", time.Hour, "how long, at most 8760h, a year")
			c.Flags().StringVar(&comment, "comment", "", "who and why; required")
			_ = c.MarkFlagRequired("comment")
		},
		request: func(args []string) (*alertingv1.CreateSilenceRequest, error) {
			labels, err := pairs(args)
			if err != nil {
				return nil, err
			}
			if duration <= 0 || duration > longestSilence {
				return nil, fmt.Errorf("--for %s: give more than 0 and at most %s", duration, longestSilence)
			}
			s := &alertingv1.Silence{Comment: comment, EndTime: timestamppb.New(time.Now().Add(duration))}
			for _, name := range slices.Sorted(maps.Keys(labels)) {
				s.Matchers = append(s.Matchers, &alertingv1.Matcher{Label: name, Value: labels[name]})
			}
			return &alertingv1.CreateSilenceRequest{Silence: s}, nil
		},
		client: func(c grpc.ClientConnInterface) rpc[*alertingv1.CreateSilenceRequest, *alertingv1.CreateSilenceResponse] {
			return alertingv1.NewSilenceServiceClient(c).CreateSilence
		},
	})
}

func (a *App) deleteSilence() *cobra.Command {
	return command(a, verb[*alertingv1.DeleteSilenceRequest, *alertingv1.DeleteSilenceResponse]{
		use: "delete ID", short: "End a silence now", args: cobra.ExactArgs(1), columns: "name", sure: "This ends silence %s",
		request: func(args []string) (*alertingv1.DeleteSilenceRequest, error) {
			return &alertingv1.DeleteSilenceRequest{Name: named("silences", args[0])}, nil
		},
		client: func(c grpc.ClientConnInterface) rpc[*alertingv1.DeleteSilenceRequest, *alertingv1.DeleteSilenceResponse] {
			return alertingv1.NewSilenceServiceClient(c).DeleteSilence
		},
	})
}
