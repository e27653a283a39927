// Package cli is the `naksha` command: it speaks to a platform through its gateway like any other client, and runs one
// with `naksha up`. Data goes to stdout, progress to stderr; every failure has an exit code by its class (DESIGN §10).
// It owns no rule of the platform.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"
)

// App is one invocation's surroundings: where it reads and writes, and the flags that every command has.
type App struct {
	In       io.Reader
	Out, Err io.Writer
	Getenv   func(string) string
	Version  string

	output  output
	yes     bool
	dir     string
	context string
	target  target // flags that say where the gateway is
}

// Main runs one command line and returns the exit code.
func Main(ctx context.Context, version string, args []string) int {
	app := &App{In: os.Stdin, Out: os.Stdout, Err: os.Stderr, Getenv: os.Getenv, Version: version}
	return app.Run(ctx, args)
}

// Run runs one command line and returns the exit code.
func (a *App) Run(ctx context.Context, args []string) int {
	root := a.root()
	root.SetArgs(args)
	root.SetIn(a.In)
	root.SetOut(a.Out)
	root.SetErr(a.Err)
	if err := root.ExecuteContext(ctx); err != nil {
		a.readOutput(args)
		return a.fail(err)
	}
	return exitOK
}

func (a *App) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "naksha",
		Short: "Naksha Cloud: isolated backends for many customers on one cluster",
		Long: `Naksha Cloud gives each customer a workspace (a Postgres schema, a bucket, API keys), backs it up to two regions,
restores one workspace without touching its neighbours, rotates credentials with proof, and wakes the right person.

  naksha up                      start everything on this machine
  naksha workspace create shop   make a workspace and show its credentials once
  naksha demo                    watch the main job, end to end, in a temporary directory`,
		SilenceUsage:  true,
		SilenceErrors: true,
		Version:       a.Version,
	}
	root.SetVersionTemplate("naksha {{.Version}}\n")
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usageError{fmt.Errorf("%w: see `%s --help`", readable(err), cmd.CommandPath())}
	})
	flags := root.PersistentFlags()
	flags.VarP(&a.output, "output", "o", "table, json, yaml or name")
	flags.BoolVar(&a.yes, "yes", false, "do not ask before something is deleted or replaced")
	flags.StringVar(&a.dir, "dir", a.Getenv("NAKSHA_DIR"), "state directory of a local platform (NAKSHA_DIR)")
	flags.StringVar(&a.context, "context", a.Getenv("NAKSHA_CONTEXT"), "context to use instead of the current one (NAKSHA_CONTEXT)")
	a.target.addFlags(flags, a.Getenv)
	root.AddGroup(&cobra.Group{ID: groupLocal, Title: "A platform on this machine:"},
		&cobra.Group{ID: groupCustomer, Title: "Workspaces and what they hold:"},
		&cobra.Group{ID: groupOperator, Title: "Operations:"})
	add := func(group string, commands ...*cobra.Command) {
		for _, c := range commands {
			c.GroupID = group
			root.AddCommand(c)
		}
	}
	add(groupLocal, a.upCommand(), a.downCommand(), a.statusCommand(), a.doctorCommand(), a.natsUsersCommand(),
		a.logLevelCommand(), a.supportCommand(), a.uninstallCommand(), a.demoCommand())
	add(groupCustomer, a.workspaceCommand(), a.keyCommand(), a.snapshotCommand(), a.restoreCommand(),
		a.credentialCommand(), a.rotationCommand())
	add(groupOperator, a.platformCommand(), a.alertCommand(), a.incidentCommand(), a.silenceCommand(), a.eventCommand(), a.deadLetterCommand())
	root.AddCommand(a.contextCommand(), a.whoamiCommand(), a.versionCommand())
	strict(root)
	return root
}

// Groups of `naksha --help`.
const (
	groupLocal    = "local"
	groupCustomer = "customer"
	groupOperator = "operator"
)

// confirm asks before something is deleted or replaced. Without a terminal nothing is asked: --yes is required.
func (a *App) confirm(ctx context.Context, what string) error {
	if a.yes {
		return nil
	}
	if !terminal(a.In) || !terminal(a.Err) {
		return usageError{fmt.Errorf("%s: say so with --yes, since nobody can be asked here", what)}
	}
	fmt.Fprintf(a.Err, "%s. Type yes to go on: ", what)
	answer := make(chan string, 1)
	go func() { // reads on after Ctrl-C, and ends with the process
		var text string
		_, _ = fmt.Fscanln(a.In, &text)
		answer <- text
	}()
	select {
	case text := <-answer:
		if text == "yes" {
			return nil
		}
	case <-ctx.Done():
	}
	return errors.New("nothing was changed")
}

// terminal says whether f is one.
func terminal(f any) bool {
	file, ok := f.(*os.File)
	if !ok {
		return false
	}
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
