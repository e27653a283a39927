// Command naksha-rotation runs the rotation service as a process of its own.
package main

import (
	"os"

	"github.com/naksha-cloud/naksha/pkg/service"
	"github.com/naksha-cloud/naksha/services/rotation"
)

// version is set when the binary is built.
var version = "dev"

func main() {
	os.Exit(service.Program[rotation.Config]{
		Name: "rotation", Version: version, Config: rotation.DefaultConfig(),
		New: func(c rotation.Config, d service.Deps) (service.Runner, error) { return rotation.New(c, d) },
	}.Main(os.Args[1:], os.Environ(), os.Stderr))
}
