package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

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
