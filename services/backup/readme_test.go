package backup_test

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/naksha-cloud/naksha/pkg/conf"
	"github.com/naksha-cloud/naksha/services/backup"
)

var update = flag.Bool("update", false, "write the README's table of the configuration")

func TestReadmeListsTheConfiguration(t *testing.T) {
	t.Parallel()
	rows, err := conf.Table(backup.DefaultConfig(), "NAKSHA_BACKUP")
	if err != nil {
		t.Fatal(err)
	}
	table := "| variable | default | meaning |\n| --- | --- | --- |\n"
	for _, row := range rows {
		value := ""
		if row.Default != "" {
			value = "`" + row.Default + "`"
		}
		table += fmt.Sprintf("| `%s` | %s | %s |\n", row.Env, value, row.Doc)
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
		t.Error("README.md does not list the configuration: run go test . -run Readme -update")
	}
}
