package cli

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/naksha-cloud/naksha/cmd/naksha/internal/support"
)

func (a *App) supportCommand() *cobra.Command {
	var file string
	c := &cobra.Command{
		Use: "support-bundle", Short: "Collect versions, configuration, status, logs, metrics and goroutines, without secrets, into one file",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			dir, err := a.stateDir()
			if err != nil {
				return err
			}
			if _, err := os.Stat(dir); err != nil {
				return fmt.Errorf("state directory: %w: name it with --dir", err)
			}
			if file == "" {
				file = "naksha-support-" + time.Now().UTC().Format("20060102T150405Z") + ".tar.gz"
			}
			f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
			if err != nil {
				return fmt.Errorf("bundle: %w: name another file with --file", err)
			}
			err = errors.Join(support.Bundle{Dir: dir, Version: a.Version}.Write(cmd.Context(), f), f.Close())
			if err != nil {
				return errors.Join(err, os.Remove(file))
			}
			fmt.Fprintln(a.Err, "look through it before you send it; secrets of the state directory are left out")
			_, err = fmt.Fprintln(a.Out, file)
			return err
		},
	}
	c.Flags().StringVar(&file, "file", "", "file to write; default: naksha-support-<time>.tar.gz here")
	return c
}
