package rotation_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/naksha-cloud/naksha/pkg/conf"
	"github.com/naksha-cloud/naksha/pkg/service"
	"github.com/naksha-cloud/naksha/services/rotation"
)

func TestCharterListsTheConfiguration(t *testing.T) {
	t.Parallel()
	charter, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	shared, err := conf.Table(service.DefaultConfig(), "NAKSHA_ROTATION")
	if err != nil {
		t.Fatal(err)
	}
	rows, err := conf.Table(rotation.DefaultConfig(), "NAKSHA_ROTATION")
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range rows[len(shared):] {
		line := fmt.Sprintf("| `%s` | %s | %s |", row.Env, row.Default, strings.TrimSuffix(row.Doc, "."))
		if !strings.Contains(string(charter), line) {
			t.Errorf("README.md misses:\n%s", line)
		}
	}
}

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
