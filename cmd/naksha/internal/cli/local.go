package cli

import (
	"errors"
	"fmt"
	"io"
	"runtime"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/naksha-cloud/naksha/cmd/naksha/internal/up"
	"github.com/naksha-cloud/naksha/pkg/fault"
)

func (a *App) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Show the version", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			v := map[string]string{"version": a.Version, "go": runtime.Version()}
			return a.printOther(v, []string{a.Version}, func(w io.Writer) error {
				_, err := fmt.Fprintf(w, "naksha %s (%s, %s/%s)\n", a.Version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
				return err
			})
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
	var names []string
	for _, c := range checks {
		names = append(names, c.Name)
		if c.Err != nil {
			failed = toldError{fault.Precondition("DOCTOR_FOUND_FAULTS", "Something is missing or wrong; see above.")}
		}
	}
	return errors.Join(a.printOther(checks, names, func(w io.Writer) error { return printChecks(w, checks) }), failed)
}

func printChecks(w io.Writer, checks []up.Check) error {
	t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	for _, c := range checks {
		if c.Err != nil {
			fmt.Fprintf(t, "✗ %s\t%v\n", c.Name, c.Err)
		} else {
			fmt.Fprintf(t, "✓ %s\t%s\n", c.Name, c.Found)
		}
	}
	return t.Flush()
}
