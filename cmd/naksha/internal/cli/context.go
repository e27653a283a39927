package cli

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"text/tabwriter"

	"github.com/spf13/cobra"
)

func (a *App) contextCommand() *cobra.Command {
	c := &cobra.Command{Use: "context", Short: "Remember gateways and choose between them"}
	c.AddCommand(
		&cobra.Command{Use: "list", Short: "List the contexts", Args: cobra.NoArgs, RunE: a.listContexts},
		&cobra.Command{
			Use: "create NAME", Short: "Remember --server, --ca-file and --key-file under a name, and use it",
			Args: cobra.ExactArgs(1), RunE: a.createContext,
		},
		&cobra.Command{
			Use: "use NAME", Short: "Use a context from now on; `-` goes back to the platform of --dir",
			Args: cobra.ExactArgs(1), RunE: a.useContext,
		},
		&cobra.Command{Use: "delete NAME", Short: "Forget a context", Args: cobra.ExactArgs(1), RunE: a.deleteContext},
	)
	return c
}

func (a *App) listContexts(*cobra.Command, []string) error {
	c, err := a.readContexts()
	if err != nil {
		return err
	}
	names := slices.Sorted(maps.Keys(c.Contexts))
	shown := make([]shownContext, len(names))
	for i, name := range names {
		t := c.Contexts[name]
		shown[i] = shownContext{Name: name, Current: name == c.Current, Server: t.Server, CAFile: t.CAFile, KeyFile: t.KeyFile}
	}
	return a.printOther(map[string]any{"contexts": shown}, names, func(w io.Writer) error { return contextTable(w, shown) })
}

// shownContext is a context as `naksha context list` shows it.
type shownContext struct {
	Name    string `json:"name"`
	Current bool   `json:"current"`
	Server  string `json:"server"`
	CAFile  string `json:"ca_file"`
	KeyFile string `json:"key_file"`
}

func contextTable(w io.Writer, shown []shownContext) error {
	t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	fmt.Fprintln(t, "CURRENT\tNAME\tSERVER\tKEY FILE")
	for _, c := range shown {
		mark := ""
		if c.Current {
			mark = "*"
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", mark, c.Name, c.Server, c.KeyFile)
	}
	return t.Flush()
}

func (a *App) createContext(cmd *cobra.Command, args []string) error {
	made, err := a.target.lasting()
	if err != nil {
		return err
	}
	c, err := a.readContexts()
	if err != nil {
		return err
	}
	if old, ok := c.Contexts[args[0]]; ok && old != made {
		if err := a.confirm(cmd.Context(), fmt.Sprintf("This replaces context %s, which means %s", args[0], old.Server)); err != nil {
			return err
		}
	}
	c.Contexts[args[0]], c.Current = made, args[0]
	if err := a.writeContexts(c); err != nil {
		return err
	}
	fmt.Fprintf(a.Err, "Context %s means %s, and is in use from now on.\n", args[0], made.Server)
	return nil
}

// lasting is t as it means the same from every folder, if its files can serve.
func (t target) lasting() (target, error) {
	if t.Server == "" {
		return t, usageError{errors.New("a context needs --server https://host:port")}
	}
	for _, path := range []*string{&t.CAFile, &t.KeyFile} {
		if *path == "" {
			continue
		}
		whole, err := filepath.Abs(*path)
		if err != nil {
			return t, err
		}
		*path = whole
	}
	if _, err := t.host(); err != nil {
		return t, err
	}
	if _, err := t.roots(); err != nil {
		return t, err
	}
	if t.KeyFile != "" { // else NAKSHA_KEY holds it, then
		if _, err := t.readKey(); err != nil {
			return t, err
		}
	}
	t.key = ""
	return t, nil
}

func (a *App) useContext(_ *cobra.Command, args []string) error {
	c, err := a.readContexts()
	if err != nil {
		return err
	}
	if _, ok := c.Contexts[args[0]]; !ok && args[0] != "-" {
		return usageError{fmt.Errorf("there is no context %q: see `naksha context list`", args[0])}
	}
	if c.Current = args[0]; args[0] == "-" {
		c.Current = ""
	}
	return a.writeContexts(c)
}

func (a *App) deleteContext(_ *cobra.Command, args []string) error {
	c, err := a.readContexts()
	if err != nil {
		return err
	}
	if _, ok := c.Contexts[args[0]]; !ok {
		return usageError{fmt.Errorf("there is no context %q: see `naksha context list`", args[0])}
	}
	delete(c.Contexts, args[0])
	if c.Current == args[0] {
		c.Current = ""
	}
	return a.writeContexts(c)
}
