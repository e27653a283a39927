// Command naksha-backup runs the backup service as a process of its own.
package main

import (
	"os"

	"github.com/naksha-cloud/naksha/pkg/service"
	"github.com/naksha-cloud/naksha/services/backup"
)

// version is set when the binary is built.
var version = "dev"

func main() {
	os.Exit(service.Program[backup.Config]{
		Name: "backup", Version: version, Config: backup.DefaultConfig(),
		New: func(c backup.Config, d service.Deps) (service.Runner, error) { return backup.New(c, d) },
	}.Main(os.Args[1:], os.Environ(), os.Stderr))
}
