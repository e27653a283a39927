package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/naksha-cloud/naksha/cmd/naksha/internal/demo"
)

func (a *App) demoCommand() *cobra.Command {
	var config demo.Config
	var evidence string
	c := &cobra.Command{
		Use: "demo", Short: "Watch the main job, end to end on real parts, in a temporary directory",
		Long: `Starts a platform of its own on free ports and runs the main job on it: two customers, real data, a snapshot, damage, a
restore (also with one region away), a password rotated under load, a page that escalates, and kill -9 in the middle of
orders. Each claim is checked from outside, with the customers' own credentials, and printed as one line of evidence.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if config.Binary, err = os.Executable(); err != nil {
				return fmt.Errorf("find this program: %w", err)
			}
			if cmd.Flags().Changed("dir") { // NAKSHA_DIR names a platform to keep, not a place to play
				config.Dir = a.dir
			}
			return a.demo(cmd, config, evidence)
		},
	}
	flags := c.Flags()
	flags.StringVar(&config.Data, "data", "", "world cities, gzipped CSV; default: examples/data of the repository")
	flags.StringVar(&evidence, "evidence", "", "file for the evidence as JSON")
	flags.BoolVar(&config.Keep, "keep", false, "leave the directory behind, to look at it")
	return c
}

func (a *App) demo(cmd *cobra.Command, config demo.Config, evidence string) error {
	lines := a.Out
	if a.output == outputJSON {
		lines = a.Err // stdout is for one JSON document
	}
	shown := demo.Printer{Out: lines, Colour: terminal(lines) && a.Getenv("NO_COLOR") == ""}
	config.Progress, config.Tell = a.demoProgress(), func(e demo.Evidence) { a.clearLine(); shown.Line(e) }
	config.Kept = func(dir string) { a.clearLine(); fmt.Fprintln(a.Err, "left behind:", dir) }
	all, err := demo.Run(cmd.Context(), config)
	a.clearLine()
	if evidence != "" && len(all) > 0 {
		err = errors.Join(err, demo.WriteEvidence(evidence, all))
	}
	if a.output == outputJSON && len(all) > 0 {
		e := json.NewEncoder(a.Out)
		e.SetIndent("", "  ")
		err = errors.Join(err, e.Encode(all))
	}
	if err == nil && !demo.Holds(all) {
		err = toldError{errors.New("the demo does not hold: see the lines marked ✗; `naksha demo --keep` leaves the logs behind")}
	}
	return err
}

// demoProgress shows what is being done on one line that replaces itself, on a terminal only.
func (a *App) demoProgress() func(string) {
	if !terminal(a.Err) {
		return nil
	}
	return func(what string) {
		a.clearLine()
		fmt.Fprintf(a.Err, "  … %s", what)
	}
}

func (a *App) clearLine() {
	if terminal(a.Err) {
		fmt.Fprint(a.Err, "\r\x1b[K")
	}
}
