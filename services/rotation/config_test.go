package rotation_test

import (
	"strings"
	"testing"
	"time"

	"github.com/naksha-cloud/naksha/services/rotation"
)

func TestRefusesConfigurationThatCannotWork(t *testing.T) {
	t.Parallel()
	for field, spoil := range map[string]func(c *rotation.Config){
		"root_key_file": func(c *rotation.Config) { c.RootKeyFile = "" },
		"quiet_window":  func(c *rotation.Config) { c.QuietWindow = -1 },
		"deadline":      func(c *rotation.Config) { c.Deadline = time.Millisecond },
		"lease":         func(c *rotation.Config) { c.Lease = 0 },
		"concurrency":   func(c *rotation.Config) { c.Concurrency = 0 },
		"database_url":  func(*rotation.Config) {},
	} {
		c := rotation.DefaultConfig()
		c.RootKeyFile = "root.key"
		spoil(&c)
		if _, err := rotation.New(c, rotation.Deps{}); err == nil || !strings.Contains(err.Error(), field) {
			t.Errorf("%s: %v", field, err)
		}
	}
}
