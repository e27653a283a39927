package alerting_test

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/naksha-cloud/naksha/pkg/conf"
	"github.com/naksha-cloud/naksha/services/alerting"
)

var update = flag.Bool("update", false, "write the README's table of the configuration")

func TestReadmeListsTheConfiguration(t *testing.T) {
	t.Parallel()
	rows, err := conf.Table(alerting.DefaultConfig(), "NAKSHA_ALERTING")
	if err != nil {
		t.Fatal(err)
	}
	table := "| variable | default | meaning |\n| --- | --- | --- |\n"
	for _, row := range rows {
		fallback := ""
		if row.Default != "" {
			fallback = "`" + row.Default + "`"
		}
		table += fmt.Sprintf("| `%s` | %s | %s |\n", row.Env, fallback, row.Doc)
	}
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	const opens, closes = "<!-- configuration -->\n", "<!-- /configuration -->"
	before, rest, _ := strings.Cut(string(readme), opens)
	got, after, found := strings.Cut(rest, closes)
	if !found {
		t.Fatal("README.md has no place for the configuration")
	}
	if *update {
		if err := os.WriteFile("README.md", []byte(before+opens+table+closes+after), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if got != table {
		t.Errorf("README.md lists another configuration: go test -run Readme -update .\n%s", table)
	}
}
