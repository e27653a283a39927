package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/naksha-cloud/naksha/cmd/naksha/internal/up"
)

func (a *App) natsUsersCommand() *cobra.Command {
	return &cobra.Command{
		Use: "nats-users", Short: "Print the users of a NATS server elsewhere, with permissions and passwords, for its configuration",
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if err := a.refuseOutput("the configuration of a NATS server"); err != nil {
				return err
			}
			dir, err := a.stateDir()
			if err != nil {
				return err
			}
			text, err := up.NATSUsers(dir)
			if err != nil {
				return err
			}
			_, err = fmt.Fprint(a.Out, text)
			return err
		},
	}
}
