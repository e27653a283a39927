package cli

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"google.golang.org/grpc"

	alertingv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/alerting/v1"
)

const alertColumns = "labels.alertname labels.severity start_time end_time incident labels"

const incidentColumns = "name severity state level title create_time acknowledged_by"

func (a *App) alertCommand() *cobra.Command {
	c := &cobra.Command{Use: "alert", Aliases: []string{"alerts"}, Short: "Observed conditions"}
	c.AddCommand(a.listAlerts(), a.createAlert())
	return c
}

func (a *App) listAlerts() *cobra.Command {
	var p pages
	return command(a, verb[*alertingv1.ListAlertsRequest, *alertingv1.ListAlertsResponse]{
		use: "list", short: "List alerts, newest first", columns: alertColumns, flags: p.flags,
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
	return command(a, verb[*alertingv1.CreateAlertsRequest, *alertingv1.Alert]{
		use: "create NAME [LABEL=VALUE …]", short: "Post an alert by hand, and show the incident that it belongs to",
		args: cobra.MinimumNArgs(1), columns: alertColumns,
		flags: func(c *cobra.Command) {
			c.Flags().StringVar(&severity, "severity", "sev3", "sev1 to sev4")
			c.Flags().StringVar(&summary, "summary", "", "one line for people")
		},
		request: func(args []string) (*alertingv1.CreateAlertsRequest, error) {
			labels, err := alertLabels(args[0], severity, args[1:])
			if err != nil {
				return nil, err
			}
			alert := &alertingv1.Alert{Labels: labels, Annotations: map[string]string{"summary": summary}}
			return &alertingv1.CreateAlertsRequest{Alerts: []*alertingv1.Alert{alert}}, nil
		},
		client: func(c grpc.ClientConnInterface) rpc[*alertingv1.CreateAlertsRequest, *alertingv1.Alert] {
			return poster{alertingv1.NewAlertServiceClient(c)}.post
		},
	})
}

// alertLabels are the labels of an alert that is posted by hand.
func alertLabels(name, severity string, more []string) (map[string]string, error) {
	labels, err := pairs(more)
	switch {
	case err != nil:
		return nil, err
	case strings.TrimSpace(name) == "":
		return nil, errors.New("an alert needs a NAME")
	case labels["alertname"] != "":
		return nil, errors.New("alertname is said by NAME: leave the label out")
	case labels["severity"] != "":
		return nil, errors.New("severity is said by --severity: leave the label out")
	case !slices.Contains([]string{"sev1", "sev2", "sev3", "sev4"}, severity):
		return nil, fmt.Errorf("--severity %q: give sev1, sev2, sev3 or sev4", severity)
	}
	for label, value := range labels {
		if value == "" { // as Prometheus has it
			return nil, fmt.Errorf("the label %s is empty, which is the same as absent: give it a value, or leave it out", label)
		}
	}
	labels["alertname"], labels["severity"] = name, severity
	return labels, nil
}

// pairs reads LABEL=VALUE arguments.
func pairs(args []string) (map[string]string, error) {
	found := map[string]string{}
	for _, arg := range args {
		name, value, ok := strings.Cut(arg, "=")
		if !ok || name == "" {
			return nil, fmt.Errorf("%q is no LABEL=VALUE", arg)
		}
		if _, twice := found[name]; twice {
			return nil, fmt.Errorf("the label %s is given twice", name)
		}
		found[name] = value
	}
	return found, nil
}

// poster posts an alert and looks up what became of it.
type poster struct{ api alertingv1.AlertServiceClient }

func (p poster) post(ctx context.Context, r *alertingv1.CreateAlertsRequest, o ...grpc.CallOption) (*alertingv1.Alert, error) {
	if _, err := p.api.CreateAlerts(ctx, r, o...); err != nil {
		return nil, err
	}
	sent := r.GetAlerts()[0]
	list := &alertingv1.ListAlertsRequest{PageSize: 1000}
	for {
		reply, err := p.api.ListAlerts(ctx, list, o...)
		if err != nil {
			return sent, nil //nolint:nilerr // it is kept; only what became of it is not known yet
		}
		for _, known := range reply.GetAlerts() {
			if maps.Equal(known.GetLabels(), sent.GetLabels()) {
				return known, nil
			}
		}
		if list.PageToken = reply.GetNextPageToken(); list.PageToken == "" {
			return sent, nil
		}
	}
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
