// Command naksha-tenant runs the tenant service as a process of its own.
package main

import (
	"os"

	"github.com/naksha-cloud/naksha/pkg/service"
	"github.com/naksha-cloud/naksha/services/tenant"
)

// version is set when the binary is built.
var version = "dev"

func main() {
	os.Exit(service.Program[tenant.Config]{
		Name: "tenant", Version: version, Config: tenant.DefaultConfig(),
		New: func(c tenant.Config, d service.Deps) (service.Runner, error) { return tenant.New(c, d) },
	}.Main(os.Args[1:], os.Environ(), os.Stderr))
}
