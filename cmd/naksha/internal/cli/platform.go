package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"filippo.io/age"
	"github.com/spf13/cobra"

	"github.com/naksha-cloud/naksha/cmd/naksha/internal/up"
	"github.com/naksha-cloud/naksha/pkg/file"
)

func (a *App) platformCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "platform", Short: "Back up and restore the platform's own record and its root key",
		Long: `A backup holds the platform database and the root key, sealed to a recipient whose identity is kept offline: whoever finds
the file cannot open it. Customers' data lies in cells and regions, and has copies of its own (naksha snapshot).

  naksha platform keygen --file identity.txt            on a machine that is kept offline
  naksha platform backup --recipient age1…              on the platform's machine, while it runs
  naksha platform restore naksha-platform-….age --identity identity.txt --dir NEW`,
	}
	c.AddCommand(a.keygenCommand(), a.backupCommand(), a.restorePlatformCommand())
	return c
}

func (a *App) keygenCommand() *cobra.Command {
	var file string
	c := &cobra.Command{
		Use: "keygen", Short: "Make an identity to open backups with, and print the recipient to seal them to", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			identity, err := age.GenerateX25519Identity()
			if err != nil {
				return err
			}
			f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
			if err != nil {
				return fmt.Errorf("identity: %w: name another file with --file", err)
			}
			_, err = fmt.Fprintf(f, "# public key: %s\n%s\n", identity.Recipient(), identity)
			if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
				return errors.Join(err, os.Remove(file))
			}
			fmt.Fprintf(a.Err, "the identity is in %s: keep it offline, without it no backup opens\n", file)
			_, err = fmt.Fprintln(a.Out, identity.Recipient())
			return err
		},
	}
	c.Flags().StringVar(&file, "file", "naksha-identity.txt", "file to write, mode 0600")
	return c
}

func (a *App) backupCommand() *cobra.Command {
	var file, recipient string
	var outside outside
	c := &cobra.Command{
		Use: "backup", Short: "Write the platform database and the root key into one sealed file, while the platform runs", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			config, err := a.platformConfig(&outside)
			if err != nil {
				return err
			}
			if file == "" {
				file = "naksha-platform-" + time.Now().UTC().Format("20060102T150405Z") + ".age"
			}
			if err := a.backup(cmd.Context(), config, recipient, file); err != nil {
				return err
			}
			_, err = fmt.Fprintln(a.Out, file)
			return err
		},
	}
	c.Flags().StringVar(&recipient, "recipient", "", "age1… of the identity that opens it")
	c.Flags().StringVar(&file, "file", "", "file to write; default: naksha-platform-<time>.age here")
	outside.addDatabase(c.Flags())
	_ = c.MarkFlagRequired("recipient")
	return c
}

// backup writes beside the file first: what has its name is complete.
func (a *App) backup(ctx context.Context, config up.Config, recipient, path string) error {
	if _, err := os.Lstat(path); err == nil {
		return fmt.Errorf("%s is there already: name another file with --file", path)
	}
	f, err := os.OpenFile(path+".part", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("backup: %w: name another file with --file", err)
	}
	buffered := bufio.NewWriterSize(f, 1<<20)
	err = up.Backup(ctx, config, recipient, buffered)
	if err == nil {
		err = buffered.Flush()
	}
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = file.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}

func (a *App) restorePlatformCommand() *cobra.Command {
	var identity string
	var outside outside
	c := &cobra.Command{
		Use: "restore FILE", Short: "Make a new state directory from a backup", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			config, err := a.platformConfig(&outside)
			if err != nil {
				return err
			}
			key, err := readIdentity(identity)
			if err != nil {
				return err
			}
			f, err := os.Open(args[0])
			if err != nil {
				return fmt.Errorf("backup: %w", err)
			}
			defer f.Close()
			if err := up.Restore(cmd.Context(), config, key, bufio.NewReaderSize(f, 1<<20)); err != nil {
				return err
			}
			fmt.Fprintf(a.Err, restored, up.Quoted(config.Dir))
			return nil
		},
	}
	c.Flags().StringVar(&identity, "identity", "", "file with the AGE-SECRET-KEY-1… that opens it")
	outside.addDatabase(c.Flags())
	_ = c.MarkFlagRequired("identity")
	return c
}

// restored says what a restored platform still lacks.
const restored = "restored: the record and the keys, without customers' data. Start it with `naksha up --dir %s` and the cell and regions " +
	"that live on (--cell-url, --s3-endpoint, --s3-iam-endpoint), or copy their folders postgres/cell1, s3/primary and s3/dr there first (cp -a)\n"

func readIdentity(file string) (string, error) {
	f, err := os.Open(file)
	if err != nil {
		return "", fmt.Errorf("identity: %w", err)
	}
	defer f.Close()
	content, err := io.ReadAll(io.LimitReader(f, 64<<10))
	if err != nil {
		return "", fmt.Errorf("identity: %w", err)
	}
	return string(content), nil
}

// platformConfig says where the platform's record is.
func (a *App) platformConfig(o *outside) (up.Config, error) {
	dir, err := a.stateDir()
	if err != nil {
		return up.Config{}, err
	}
	e, err := o.read(a.Getenv)
	if err != nil {
		return up.Config{}, usageError{err}
	}
	return up.Config{Dir: dir, Version: a.Version, External: e}, nil
}
