package cli

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// Reference writes every command with its flags as Markdown: docs/cli.md is held equal to it by a test.
func Reference(w io.Writer) error {
	app := &App{Getenv: func(string) string { return "" }, Version: "dev"}
	root := app.root()
	var b strings.Builder
	b.WriteString("# The `naksha` command\n\nMade from the code; do not edit. Flags of every command:\n\n")
	flagList(&b, root.PersistentFlags())
	b.WriteString("\nExit codes: 0 ok, 1 error, 2 usage, 3 not found, 4 conflict, 5 authentication or permission, 6 quota, " +
		"7 timeout, 8 partial. With `-o json` an error is an object `{\"error\": {…}}` on stdout.\n")
	reference(&b, root)
	_, err := io.WriteString(w, b.String())
	return err
}

func reference(b *strings.Builder, c *cobra.Command) {
	for _, sub := range c.Commands() {
		if sub.Hidden || sub.Name() == "help" || sub.Name() == "completion" {
			continue
		}
		if !sub.HasSubCommands() {
			fmt.Fprintf(b, "\n## `%s`\n\n%s.\n", strings.TrimSuffix(sub.UseLine(), " [flags]"), sub.Short)
			if sub.LocalNonPersistentFlags().HasFlags() {
				b.WriteString("\n")
				flagList(b, sub.LocalNonPersistentFlags())
			}
		}
		reference(b, sub)
	}
}

func flagList(b *strings.Builder, flags *pflag.FlagSet) {
	flags.VisitAll(func(f *pflag.Flag) {
		if f.Name == "help" || f.Hidden {
			return
		}
		name := "--" + f.Name
		if f.Shorthand != "" {
			name = "-" + f.Shorthand + ", " + name
		}
		fmt.Fprintf(b, "- `%s`: %s", name, f.Usage)
		if f.DefValue != "" && f.DefValue != "false" && f.DefValue != "0" && f.DefValue != "0s" {
			fmt.Fprintf(b, " (default `%s`)", f.DefValue)
		}
		b.WriteString("\n")
	})
}
