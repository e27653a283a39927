// Command naksha-gateway runs the gateway as a process of its own.
package main

import (
	"os"

	"github.com/naksha-cloud/naksha/pkg/service"
	"github.com/naksha-cloud/naksha/services/gateway"
)

func main() {
	program := service.Program[gateway.Config]{
		Name: gateway.Name, Version: gateway.Version(), Config: gateway.DefaultConfig(),
		New: func(c gateway.Config, d service.Deps) (service.Runner, error) { return gateway.New(c, d) },
	}
	os.Exit(program.Main(os.Args[1:], os.Environ(), os.Stderr))
}
