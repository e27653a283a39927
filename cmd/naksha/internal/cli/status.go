package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
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
	Servers   *partStatus    `json:"servers,omitempty" yaml:"servers,omitempty"`     // what they stand on; nil = not on this machine
	Processes map[string]int `json:"processes,omitempty" yaml:"processes,omitempty"` // process ids by part, servers too
}

// partStatus is one service, or all servers.
type partStatus struct {
	Service string `json:"service" yaml:"service"`
	Ready   bool   `json:"ready" yaml:"ready"`
	Error   string `json:"error,omitempty" yaml:"error,omitempty"`
	PID     int    `json:"pid,omitempty" yaml:"pid,omitempty"`
}

func (a *App) statusCommand() *cobra.Command {
	return &cobra.Command{
		Use: "status", Short: "Show whether each service and the servers below are ready, and process ids", Args: cobra.NoArgs,
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
		return platformStatus{}, a.orServers(ctx, t, err)
	}
	s := platformStatus{Version: reply.GetVersion()}
	if e, here := a.here(t); here {
		s.Processes, s.Servers = e.Processes, serversOf(ctx, e)
	}
	for _, part := range reply.GetServices() {
		s.Services = append(s.Services, partStatus{
			Service: part.GetService(), Ready: part.GetReady(), Error: part.GetError(), PID: s.Processes[part.GetService()],
		})
	}
	return s, nil
}

// orServers is what is wrong with the servers, where that is why the gateway refuses, or else its refusal.
func (a *App) orServers(ctx context.Context, t target, refusal error) error {
	e, here := a.here(t)
	if !here {
		return refusal
	}
	var trouble up.ServersTrouble
	if !errors.As(e.ServersReady(ctx), &trouble) {
		return refusal
	}
	return fault.Unavailable("NOT_READY", "Not ready: servers: %s", strings.ReplaceAll(string(trouble), "\n", "; ")).
		WithRemedy("See the log, and `naksha doctor`.").WithCause(refusal)
}

// here is the platform of the state directory, if that is the one that t means.
func (a *App) here(t target) (up.Endpoints, bool) {
	dir, err := a.stateDir()
	if err != nil {
		return up.Endpoints{}, false
	}
	e, err := up.ReadEndpoints(dir)
	return e, err == nil && e.Gateway == t.Server
}

func serversOf(ctx context.Context, e up.Endpoints) *partStatus {
	s := &partStatus{Service: "servers", Ready: true}
	if err := e.ServersReady(ctx); err != nil {
		s.Ready, s.Error = false, strings.ReplaceAll(err.Error(), "\n", "; ")
	}
	return s
}

// parts are the services and, where they are known, the servers.
func (s platformStatus) parts() []partStatus {
	if s.Servers == nil {
		return s.Services
	}
	return append(slices.Clone(s.Services), *s.Servers)
}

// trouble is the first part that is not ready, as an error.
func (s platformStatus) trouble() error {
	for _, part := range s.parts() {
		if !part.Ready {
			return toldError{fault.Unavailable("NOT_READY", "Not ready: %s: %s", part.Service, part.Error).
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
	for _, part := range s.parts() {
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
