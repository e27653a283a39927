package endtoend

import (
	"testing"

	"github.com/naksha-cloud/naksha/cmd/naksha/internal/chaostest"
)

// programs are built once for the tests of this package.
var programs chaostest.Binaries

// build returns the `naksha` program.
func build(t testing.TB) string { return programs.Naksha(t) }

// buildAll returns the `naksha` program with the five services' beside it.
func buildAll(t testing.TB) string { return programs.All(t) }
