package cli

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// readOutput reads -o from a command line that cobra did not read to its end.
func (a *App) readOutput(args []string) {
	flags := pflag.NewFlagSet("", pflag.ContinueOnError)
	flags.ParseErrorsAllowlist.UnknownFlags = true
	flags.VarP(&a.output, "output", "o", "")
	_ = flags.Parse(args) // what is wrong with it is told already
}

// strict makes a wrong or missing subcommand and a wrong number of arguments a usage error.
func strict(c *cobra.Command) {
	if c.HasSubCommands() && !c.Runnable() && c.HasParent() {
		c.RunE = func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return cmd.Help()
			}
			return usageError{fmt.Errorf("unknown command %q of `%s`: see `%s --help`", args[0], cmd.CommandPath(), cmd.CommandPath())}
		}
	}
	if check := c.Args; check != nil {
		c.Args = func(cmd *cobra.Command, args []string) error {
			if check(cmd, args) != nil {
				return usageError{fmt.Errorf("%s: usage: %s", counted(len(args)), cmd.UseLine())}
			}
			return nil
		}
	}
	for _, sub := range c.Commands() {
		strict(sub)
	}
}

func counted(arguments int) string {
	switch arguments {
	case 0:
		return "an argument is missing"
	case 1:
		return "one argument does not fit"
	default:
		return fmt.Sprintf("%d arguments do not fit", arguments)
	}
}

// readable says of a flag's wrong value what it should be, where pflag names a function of Go.
func readable(err error) error {
	var wrong *pflag.InvalidValueError
	if !errors.As(err, &wrong) {
		return err
	}
	f := wrong.GetFlag()
	accepted, ok := map[string]string{
		"int32": "a whole number", "int64": "a whole number", "int": "a whole number", "bool": "true or false",
		"duration": "a length of time such as 30s or 24h",
	}[f.Value.Type()]
	if !ok {
		return err
	}
	return fmt.Errorf("--%s %q: give %s", f.Name, wrong.GetValue(), accepted)
}
