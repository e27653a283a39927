package alerting_test

import (
	"fmt"
	"net/http"
	"os"
	"testing"

	"github.com/naksha-cloud/naksha/pkg/local/localtest"
)

// TestMain leaves no goroutine behind, whatever the tests started and killed.
func TestMain(m *testing.M) {
	if os.Getenv(childEnv) != "" {
		os.Exit(childMain())
	}
	code := localtest.Run(m)
	http.DefaultClient.CloseIdleConnections()
	if err := localtest.Leaks(); err != nil && code == 0 {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}
