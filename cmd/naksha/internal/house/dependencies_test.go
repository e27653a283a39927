package house_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/naksha-cloud/naksha/cmd/naksha/internal/house"
)

func TestADependencyWithoutItsRowIsRefused(t *testing.T) {
	t.Parallel()
	const table = "| module | why |\n| --- | --- |\n| `jackc/pgx`, `golang.org/x` | SQL |\n"
	tests := []struct {
		name, mod, table, want string
	}{
		{"a row for each", "require golang.org/x/net v1.0.0\nrequire (\n\tgithub.com/jackc/pgx/v5 v5.1.0\n\texample.com/far v1.0.0 // indirect\n\t" + house.Module + "/pkg v0.0.0\n)", table, ""},
		{"no row", "require (\n\tgithub.com/jackc/pgx/v5 v5.1.0\n\tgolang.org/x/net v1.0.0\n\texample.com/new v1.0.0\n)", table, "services/tenant/go.mod: requires example.com/new"},
		{"a longer name is another", "require (\n\tgithub.com/jackc/pgxother v5.1.0\n\tgithub.com/jackc/pgx/v5 v5.1.0\n\tgolang.org/x/net v1.0.0\n)", table, "requires github.com/jackc/pgxother"},
		{"row without use", "require golang.org/x/net v1.0.0", table, "docs/adr/0003-dependencies.md:3: jackc/pgx is required by no module"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			bad, err := house.Dependencies(fstest.MapFS{
				"services/tenant/go.mod":        {Data: []byte("module x\n\ngo 1.26.0\n\n" + test.mod + "\n")},
				"docs/adr/0003-dependencies.md": {Data: []byte(test.table)},
			})
			if err != nil {
				t.Fatal(err)
			}
			if test.want == "" && len(bad) == 0 {
				return
			}
			if len(bad) != 1 || test.want == "" || !strings.Contains(bad[0].String(), test.want) {
				t.Errorf("got %v, want %q", bad, test.want)
			}
		})
	}
	if _, err := house.Dependencies(fstest.MapFS{}); err == nil {
		t.Error("a missing table is not noticed")
	}
}
