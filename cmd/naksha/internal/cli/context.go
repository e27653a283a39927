package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"text/tabwriter"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"
)

// contexts is the file that remembers gateways: $XDG_CONFIG_HOME/naksha/config.yaml. It names key files, never keys.
type contexts struct {
	Current  string            `yaml:"current"`
	Contexts map[string]target `yaml:"contexts"`
}

func (a *App) configFile() (string, error) {
	base := a.Getenv("XDG_CONFIG_HOME")
	if base == "" {
		home := a.Getenv("HOME")
		if home == "" {
			return "", errors.New("neither XDG_CONFIG_HOME nor HOME is set: contexts have no place")
		}
		base = filepath.Join(home, ".config")
	}
	return filepath.Join(base, "naksha", "config.yaml"), nil
}

func (a *App) readContexts() (contexts, error) {
	c := contexts{Contexts: map[string]target{}}
	path, err := a.configFile()
	if err != nil {
		return c, nil //nolint:nilerr // without a home there are no contexts, which is fine
	}
	content, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return c, nil
	}
	if err == nil {
		err = yaml.Unmarshal(content, &c)
	}
	if err != nil {
		return c, fmt.Errorf("contexts: %w: mend or remove %s", err, path)
	}
	return c, nil
}

func (a *App) writeContexts(c contexts) error {
	path, err := a.configFile()
	if err != nil {
		return err
	}
	content, err := yaml.Marshal(c)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	return os.WriteFile(path, content, 0o600)
}

// currentContext is the chosen context's target; empty when there is none.
func (a *App) currentContext() (target, error) {
	c, err := a.readContexts()
	if err != nil {
		return target{}, err
	}
	name := c.Current
	if a.context != "" {
		name = a.context
	}
	if name == "" {
		return target{}, nil
	}
	t, ok := c.Contexts[name]
	if !ok {
		return target{}, usageError{fmt.Errorf("there is no context %q: see `naksha context list`", name)}
	}
	return t, nil
}

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
	w := tabwriter.NewWriter(a.Out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "CURRENT\tNAME\tSERVER\tKEY FILE")
	for _, name := range slices.Sorted(maps.Keys(c.Contexts)) {
		mark := ""
		if name == c.Current {
			mark = "*"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", mark, name, c.Contexts[name].Server, c.Contexts[name].KeyFile)
	}
	return w.Flush()
}

func (a *App) createContext(_ *cobra.Command, args []string) error {
	if a.target.Server == "" {
		return usageError{errors.New("a context needs --server https://host:port")}
	}
	c, err := a.readContexts()
	if err != nil {
		return err
	}
	c.Contexts[args[0]], c.Current = a.target, args[0]
	return a.writeContexts(c)
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
