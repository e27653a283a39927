package cli

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/timestamppb"

	alertingv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/alerting/v1"
	eventv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/event/v1"
)

const incidentColumns = "name severity state level title create_time acknowledged_by"

func (a *App) alertCommand() *cobra.Command {
	c := &cobra.Command{Use: "alert", Aliases: []string{"alerts"}, Short: "Observed conditions"}
	c.AddCommand(a.listAlerts(), a.createAlert())
	return c
}

func (a *App) listAlerts() *cobra.Command {
	var p pages
	return command(a, verb[*alertingv1.ListAlertsRequest, *alertingv1.ListAlertsResponse]{
		use: "list", short: "List alerts, newest first", columns: "fingerprint labels incident start_time end_time", flags: p.flags,
		request: func([]string) (*alertingv1.ListAlertsRequest, error) {
			return &alertingv1.ListAlertsRequest{PageSize: p.size, PageToken: p.token}, nil
		},
		client: func(c grpc.ClientConnInterface) rpc[*alertingv1.ListAlertsRequest, *alertingv1.ListAlertsResponse] {
			return alertingv1.NewAlertServiceClient(c).ListAlerts
		},
	})
}

func (a *App) createAlert() *cobra.Command {
	var severity, summary string
	return command(a, verb[*alertingv1.CreateAlertsRequest, *alertingv1.CreateAlertsResponse]{
		use: "create NAME [LABEL=VALUE …]", short: "Post an alert by hand", args: cobra.MinimumNArgs(1),
		columns: "accepted_count refusals",
		flags: func(c *cobra.Command) {
			c.Flags().StringVar(&severity, "severity", "sev3", "sev1 to sev4")
			c.Flags().StringVar(&summary, "summary", "", "one line for people")
		},
		request: func(args []string) (*alertingv1.CreateAlertsRequest, error) {
			labels, err := pairs(args[1:])
			if err != nil {
				return nil, err
			}
			labels["alertname"], labels["severity"] = args[0], severity
			alert := &alertingv1.Alert{Labels: labels, Annotations: map[string]string{"summary": summary}}
			return &alertingv1.CreateAlertsRequest{Alerts: []*alertingv1.Alert{alert}}, nil
		},
		client: func(c grpc.ClientConnInterface) rpc[*alertingv1.CreateAlertsRequest, *alertingv1.CreateAlertsResponse] {
			return alertingv1.NewAlertServiceClient(c).CreateAlerts
		},
	})
}

// pairs reads LABEL=VALUE arguments.
func pairs(args []string) (map[string]string, error) {
	found := map[string]string{}
	for _, arg := range args {
		name, value, ok := strings.Cut(arg, "=")
		if !ok || name == "" {
			return nil, fmt.Errorf("%q is no LABEL=VALUE", arg)
		}
		found[name] = value
	}
	return found, nil
}

func (a *App) incidentCommand() *cobra.Command {
	c := &cobra.Command{Use: "incident", Aliases: []string{"incidents"}, Short: "What people are told about, until it is over"}
	c.AddCommand(a.listIncidents(), a.getIncident(), a.acknowledgeIncident(), a.resolveIncident())
	return c
}

func (a *App) listIncidents() *cobra.Command {
	var p pages
	return command(a, verb[*alertingv1.ListIncidentsRequest, *alertingv1.ListIncidentsResponse]{
		use: "list", short: "List incidents, newest first", columns: incidentColumns, flags: p.flags,
		request: func([]string) (*alertingv1.ListIncidentsRequest, error) {
			return &alertingv1.ListIncidentsRequest{PageSize: p.size, PageToken: p.token}, nil
		},
		client: func(c grpc.ClientConnInterface) rpc[*alertingv1.ListIncidentsRequest, *alertingv1.ListIncidentsResponse] {
			return alertingv1.NewIncidentServiceClient(c).ListIncidents
		},
	})
}

func (a *App) getIncident() *cobra.Command {
	return command(a, verb[*alertingv1.GetIncidentRequest, *alertingv1.GetIncidentResponse]{
		use: "get ID", short: "Show one incident; -o json shows who was told, when, how", args: cobra.ExactArgs(1),
		columns: incidentColumns,
		request: func(args []string) (*alertingv1.GetIncidentRequest, error) {
			return &alertingv1.GetIncidentRequest{Name: named("incidents", args[0])}, nil
		},
		client: func(c grpc.ClientConnInterface) rpc[*alertingv1.GetIncidentRequest, *alertingv1.GetIncidentResponse] {
			return alertingv1.NewIncidentServiceClient(c).GetIncident
		},
	})
}

func (a *App) acknowledgeIncident() *cobra.Command {
	var by string
	return command(a, verb[*alertingv1.AcknowledgeIncidentRequest, *alertingv1.AcknowledgeIncidentResponse]{
		use: "acknowledge ID", short: "Stop the escalation: you work on it", args: cobra.ExactArgs(1), columns: incidentColumns,
		flags: func(c *cobra.Command) { c.Flags().StringVar(&by, "by", "", "your name; default: the key's id") },
		request: func(args []string) (*alertingv1.AcknowledgeIncidentRequest, error) {
			return &alertingv1.AcknowledgeIncidentRequest{Name: named("incidents", args[0]), By: by}, nil
		},
		client: func(c grpc.ClientConnInterface) rpc[*alertingv1.AcknowledgeIncidentRequest, *alertingv1.AcknowledgeIncidentResponse] {
			return alertingv1.NewIncidentServiceClient(c).AcknowledgeIncident
		},
	})
}

func (a *App) resolveIncident() *cobra.Command {
	return command(a, verb[*alertingv1.ResolveIncidentRequest, *alertingv1.ResolveIncidentResponse]{
		use: "resolve ID", short: "End an incident", args: cobra.ExactArgs(1), columns: incidentColumns,
		request: func(args []string) (*alertingv1.ResolveIncidentRequest, error) {
			return &alertingv1.ResolveIncidentRequest{Name: named("incidents", args[0])}, nil
		},
		client: func(c grpc.ClientConnInterface) rpc[*alertingv1.ResolveIncidentRequest, *alertingv1.ResolveIncidentResponse] {
			return alertingv1.NewIncidentServiceClient(c).ResolveIncident
		},
	})
}

func (a *App) silenceCommand() *cobra.Command {
	c := &cobra.Command{Use: "silence", Aliases: []string{"silences"}, Short: "Mute alerts by their labels for a time"}
	c.AddCommand(a.listSilences(), a.createSilence(), a.deleteSilence())
	return c
}

func (a *App) listSilences() *cobra.Command {
	return command(a, verb[*alertingv1.ListSilencesRequest, *alertingv1.ListSilencesResponse]{
		use: "list", short: "List silences that have not ended", columns: "name matchers start_time end_time comment",
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
		columns: "name matchers start_time end_time comment",
		flags: func(c *cobra.Command) {
			c.Flags().DurationVar(&duration, "for", time.Hour, "how long")
			c.Flags().StringVar(&comment, "comment", "", "who and why")
			_ = c.MarkFlagRequired("comment")
		},
		request: func(args []string) (*alertingv1.CreateSilenceRequest, error) {
			labels, err := pairs(args)
			if err != nil {
				return nil, err
			}
			if duration <= 0 {
				return nil, errors.New("--for must be positive")
			}
			s := &alertingv1.Silence{Comment: comment, EndTime: timestamppb.New(time.Now().Add(duration))}
			for name, value := range labels {
				s.Matchers = append(s.Matchers, &alertingv1.Matcher{Label: name, Value: value})
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

func (a *App) eventCommand() *cobra.Command {
	c := &cobra.Command{Use: "event", Aliases: []string{"events"}, Short: "Facts as a service recorded them"}
	var after int64
	c.AddCommand(command(a, verb[*eventv1.ListEventsRequest, *eventv1.ListEventsResponse]{
		use: "list SERVICE AGGREGATE", short: "List an aggregate's facts, e.g. tenant workspaces/{ref}", args: cobra.ExactArgs(2),
		columns: "version type time id",
		flags:   func(c *cobra.Command) { c.Flags().Int64Var(&after, "after", 0, "only versions greater than this") },
		request: func(args []string) (*eventv1.ListEventsRequest, error) {
			return &eventv1.ListEventsRequest{Service: named("services", args[0]), Aggregate: args[1], AfterVersion: after}, nil
		},
		client: func(c grpc.ClientConnInterface) rpc[*eventv1.ListEventsRequest, *eventv1.ListEventsResponse] {
			return eventv1.NewEventServiceClient(c).ListEvents
		},
	}))
	return c
}
