// Command naksha is Naksha Cloud in one binary: the platform on one machine (`naksha up`), and the client of any.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/naksha-cloud/naksha/cmd/naksha/internal/cli"
	"github.com/naksha-cloud/naksha/pkg/local"
)

// version is set by the linker.
var version = "dev"

func main() {
	if local.ChildMain() {
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends the process at once
	code := cli.Main(ctx, version, os.Args[1:])
	stop()
	os.Exit(code)
}
