package cli

import (
	"context"
	"fmt"
	"path/filepath"
	"syscall"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/naksha-cloud/naksha/cmd/naksha/internal/up"
)

func (a *App) downCommand() *cobra.Command {
	return &cobra.Command{
		Use: "down", Short: "Stop the platform of the state directory, or what a killed one left, and wait until it has stopped", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			dir, err := a.stateDir()
			if err != nil {
				return err
			}
			stopped, err := a.stop(cmd.Context(), dir)
			if err != nil || stopped {
				return err
			}
			return a.stopOrphans(cmd.Context(), dir)
		},
	}
}

// stopOrphans stops what a killed platform left in dir.
func (a *App) stopOrphans(ctx context.Context, dir string) error {
	stopped, err := up.StopOrphans(ctx, dir)
	switch {
	case err != nil:
		return err
	case stopped > 0:
		fmt.Fprintf(a.Err, "stopped %d processes that a killed run had left in %s\n", stopped, dir)
	default:
		fmt.Fprintln(a.Err, "nothing runs in", dir)
	}
	return nil
}

// stop stops the platform of dir, if one runs there, and waits until it has stopped.
func (a *App) stop(ctx context.Context, dir string) (stopped bool, err error) {
	pid, err := up.Running(dir)
	if err != nil || pid == 0 {
		return false, err
	}
	if err := syscall.Kill(pid, syscall.SIGTERM); err != nil {
		return false, fmt.Errorf("stop process %d: %w: run as its owner", pid, err)
	}
	ctx, cancel := context.WithTimeout(ctx, 90*time.Second)
	defer cancel()
	err = a.poll(ctx, func(context.Context) (string, bool, error) {
		pid, err := up.Running(dir)
		return "stopping …", pid == 0, err
	})
	if err != nil {
		return false, fmt.Errorf("process %d has not stopped: %w: see %s", pid, err, filepath.Join(dir, up.LogFile))
	}
	return true, nil
}

func (a *App) uninstallCommand() *cobra.Command {
	return &cobra.Command{
		Use: "uninstall", Short: "Stop the platform and remove its state directory, with all data in it", Args: cobra.NoArgs,
		Long: `Shows what is in the state directory, asks, stops the platform, and removes it. A folder that is no state directory, or
that holds anything else, is refused. Databases, NATS and S3 that run elsewhere are left alone.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			dir, err := a.stateDir()
			if err != nil {
				return err
			}
			parts, err := up.Belongings(dir)
			if err != nil {
				return err
			}
			if err := a.showParts(dir, parts); err != nil {
				return err
			}
			if err := a.confirm(cmd.Context(), "Removing all of this for ever, the root key too"); err != nil {
				return err
			}
			if _, err := a.stop(cmd.Context(), dir); err != nil {
				return err
			}
			if err := up.Uninstall(cmd.Context(), dir); err != nil {
				return err
			}
			fmt.Fprintln(a.Err, "removed", dir)
			return nil
		},
	}
}

func (a *App) showParts(dir string, parts []up.Part) error {
	fmt.Fprintf(a.Err, "In %s:\n", dir)
	w := tabwriter.NewWriter(a.Err, 0, 4, 2, ' ', 0)
	for _, p := range parts {
		fmt.Fprintf(w, "  %s\t%.1f MB\t\n", p.Name, float64(p.Bytes)/1e6)
	}
	return w.Flush()
}
