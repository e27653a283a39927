// Command naksha-gateway runs the gateway as a process of its own.
package main

import (
	"os"

	"github.com/naksha-cloud/naksha/pkg/service"
	"github.com/naksha-cloud/naksha/services/gateway"
)

// version is set when the binary is built.
var version = "dev"

func main() {
	program := service.Program[gateway.Config]{
		Name: gateway.Name, Version: version, Config: gateway.DefaultConfig(),
		New: func(c gateway.Config, d service.Deps) (service.Runner, error) { return gateway.New(c, d) },
	}
	os.Exit(program.Main(os.Args[1:], os.Environ(), os.Stderr))
}
