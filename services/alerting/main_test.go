package alerting_test

import (
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
	os.Exit(localtest.NoLeaks(code))
}
