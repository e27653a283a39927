package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"syscall"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
	"google.golang.org/grpc"

	"github.com/naksha-cloud/naksha/cmd/naksha/internal/up"
	"github.com/naksha-cloud/naksha/pkg/fault"
	gatewayv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/gateway/v1"
)

func (a *App) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Show the version", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if a.output == outputJSON {
				return json.NewEncoder(a.Out).Encode(map[string]string{"version": a.Version, "go": runtime.Version()})
			}
			_, err := fmt.Fprintf(a.Out, "naksha %s (%s, %s/%s)\n", a.Version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
			return err
		},
	}
}

func (a *App) statusCommand() *cobra.Command {
	return command(a, verb[*gatewayv1.GetPlatformRequest, *gatewayv1.GetPlatformResponse]{
		use: "status", short: "Show whether each service is ready", columns: "service ready error",
		request: func([]string) (*gatewayv1.GetPlatformRequest, error) { return &gatewayv1.GetPlatformRequest{}, nil },
		client: func(c grpc.ClientConnInterface) rpc[*gatewayv1.GetPlatformRequest, *gatewayv1.GetPlatformResponse] {
			return gatewayv1.NewPlatformServiceClient(c).GetPlatform
		},
		after: func(_ context.Context, r *gatewayv1.GetPlatformResponse) (*gatewayv1.GetPlatformResponse, error) {
			for _, s := range r.GetServices() {
				if !s.GetReady() {
					return r, errors.Join(a.print(r, "service ready error"), toldError{
						fault.Unavailable("NOT_READY", "Service %s is not ready: %s", s.GetService(), s.GetError()).
							WithRemedy("See its lines in the log, and `naksha doctor`."),
					})
				}
			}
			return r, nil
		},
	})
}

func (a *App) downCommand() *cobra.Command {
	return &cobra.Command{
		Use: "down", Short: "Stop the platform of the state directory and wait until it has stopped", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			dir, err := a.stateDir()
			if err != nil {
				return err
			}
			pid, err := up.Running(dir)
			if err != nil {
				return err
			}
			if pid == 0 {
				fmt.Fprintln(a.Err, "nothing runs in", dir)
				return nil
			}
			if err := syscall.Kill(pid, syscall.SIGTERM); err != nil {
				return fmt.Errorf("stop process %d: %w: run as its owner", pid, err)
			}
			ctx, cancel := context.WithTimeout(cmd.Context(), 90*time.Second)
			defer cancel()
			err = a.poll(ctx, func(context.Context) (string, bool, error) {
				pid, err := up.Running(dir)
				return "stopping …", pid == 0, err
			})
			if err != nil {
				return fmt.Errorf("process %d has not stopped: %w: see %s", pid, err, filepath.Join(dir, up.LogFile))
			}
			return nil
		},
	}
}

func (a *App) doctorCommand() *cobra.Command {
	return &cobra.Command{
		Use: "doctor", Short: "Check what the platform needs on this machine, and what runs", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			dir, err := a.stateDir()
			if err != nil {
				return err
			}
			return a.report(up.Examine(cmd.Context(), dir))
		},
	}
}

// report shows the checks and fails when one of them did.
func (a *App) report(checks []up.Check) error {
	var failed error
	for _, c := range checks {
		if c.Err != nil {
			failed = toldError{fault.Precondition("DOCTOR_FOUND_FAULTS", "Something is missing or wrong; see above.")}
		}
	}
	if a.output == outputJSON {
		e := json.NewEncoder(a.Out)
		e.SetIndent("", "  ")
		return errors.Join(e.Encode(checks), failed)
	}
	w := tabwriter.NewWriter(a.Out, 0, 4, 2, ' ', 0)
	for _, c := range checks {
		if c.Err != nil {
			fmt.Fprintf(w, "✗ %s\t%v\n", c.Name, c.Err)
		} else {
			fmt.Fprintf(w, "✓ %s\t%s\n", c.Name, c.Found)
		}
	}
	return errors.Join(w.Flush(), failed)
}
