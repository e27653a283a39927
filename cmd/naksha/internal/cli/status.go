package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"text/tabwriter"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"

	"github.com/naksha-cloud/naksha/cmd/naksha/internal/up"
	"github.com/naksha-cloud/naksha/pkg/fault"
	gatewayv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/gateway/v1"
)

// platformStatus is what `naksha status` shows: what the gateway says of the services and, where the platform runs on this
// machine, which processes they are.
type platformStatus struct {
	Version   string         `json:"version" yaml:"version"`
	Services  []partStatus   `json:"services" yaml:"services"`
	Processes map[string]int `json:"processes,omitempty" yaml:"processes,omitempty"` // process ids by part, servers too
}

// partStatus is one service.
type partStatus struct {
	Service string `json:"service" yaml:"service"`
	Ready   bool   `json:"ready" yaml:"ready"`
	Error   string `json:"error,omitempty" yaml:"error,omitempty"`
	PID     int    `json:"pid,omitempty" yaml:"pid,omitempty"`
}

func (a *App) statusCommand() *cobra.Command {
	return &cobra.Command{
		Use: "status", Short: "Show whether each service is ready, and its process id", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := a.status(cmd.Context())
			if err != nil {
				return err
			}
			if err := a.printStatus(s); err != nil {
				return err
			}
			return s.trouble()
		},
	}
}

func (a *App) status(ctx context.Context) (platformStatus, error) {
	t, err := a.resolve()
	if err != nil {
		return platformStatus{}, err
	}
	conn, err := t.dial()
	if err != nil {
		return platformStatus{}, err
	}
	defer conn.Close()
	reply, err := gatewayv1.NewPlatformServiceClient(conn).GetPlatform(ctx, &gatewayv1.GetPlatformRequest{})
	if err != nil {
		return platformStatus{}, err
	}
	s := platformStatus{Version: reply.GetVersion(), Processes: a.processes(t)}
	for _, part := range reply.GetServices() {
		s.Services = append(s.Services, partStatus{
			Service: part.GetService(), Ready: part.GetReady(), Error: part.GetError(), PID: s.Processes[part.GetService()],
		})
	}
	return s, nil
}

// processes are those of the platform of the state directory, if that is the one that t means.
func (a *App) processes(t target) map[string]int {
	dir, err := a.stateDir()
	if err != nil {
		return nil
	}
	e, err := up.ReadEndpoints(dir)
	if err != nil || e.Gateway != t.Server {
		return nil
	}
	return e.Processes
}

// trouble is the first service that is not ready, as an error.
func (s platformStatus) trouble() error {
	for _, part := range s.Services {
		if !part.Ready {
			return toldError{fault.Unavailable("NOT_READY", "Service %s is not ready: %s", part.Service, part.Error).
				WithRemedy("See its lines in the log, and `naksha doctor`.")}
		}
	}
	return nil
}

func (a *App) printStatus(s platformStatus) error {
	switch a.output {
	case outputJSON:
		e := json.NewEncoder(a.Out)
		e.SetIndent("", "  ")
		return e.Encode(s)
	case outputYAML:
		return yaml.NewEncoder(a.Out).Encode(s)
	case outputName:
		for _, part := range s.Services {
			fmt.Fprintln(a.Out, part.Service)
		}
		return nil
	}
	w := tabwriter.NewWriter(a.Out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "SERVICE\tREADY\tPID\tERROR\t")
	shown := map[string]bool{}
	for _, part := range s.Services {
		shown[part.Service] = true
		fmt.Fprintf(w, "%s\t%t\t%s\t%s\t\n", part.Service, part.Ready, number(part.PID), clean(part.Error))
	}
	for _, name := range slices.Sorted(maps.Keys(s.Processes)) {
		if !shown[name] {
			fmt.Fprintf(w, "%s\t\t%d\t\t\n", name, s.Processes[name])
		}
	}
	return w.Flush()
}

func number(n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprint(n)
}
