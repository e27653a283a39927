// Command naksha-alerting runs the alerting service as a process of its own.
package main

import (
	"os"

	"github.com/naksha-cloud/naksha/pkg/service"
	"github.com/naksha-cloud/naksha/services/alerting"
)

// version is set when the binary is built.
var version = "dev"

func main() {
	os.Exit(service.Program[alerting.Config]{
		Name: "alerting", Version: version, Config: alerting.DefaultConfig(),
		New: func(c alerting.Config, d service.Deps) (service.Runner, error) { return alerting.New(c, d) },
	}.Main(os.Args[1:], os.Environ(), os.Stderr))
}
