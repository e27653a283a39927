package endtoend

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/naksha-cloud/naksha/cmd/naksha/internal/cli"
	"github.com/naksha-cloud/naksha/cmd/naksha/internal/up"
	"github.com/naksha-cloud/naksha/pkg/conf"
	"github.com/naksha-cloud/naksha/pkg/service"
	"github.com/naksha-cloud/naksha/services/alerting"
	"github.com/naksha-cloud/naksha/services/backup"
	"github.com/naksha-cloud/naksha/services/gateway"
	"github.com/naksha-cloud/naksha/services/rotation"
	"github.com/naksha-cloud/naksha/services/tenant"
)

var update = flag.Bool("update", false, "write docs/cli.md and docs/configuration.md anew")

func TestReferenceDocumentsAreThoseOfTheCode(t *testing.T) {
	t.Parallel()
	var commands bytes.Buffer
	if err := cli.Reference(&commands); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"cli.md": commands.String(), "configuration.md": configuration(t)} {
		path := filepath.Join("..", "..", "..", "..", "docs", name)
		if *update {
			if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		got, err := os.ReadFile(path)
		if err != nil || string(got) != want {
			t.Errorf("docs/%s is not what the code says: run go test ./cmd/naksha/internal/endtoend -run Reference -update (%v)", name, err)
		}
	}
}

// configuration is the table of every service's fields.
func configuration(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	b.WriteString("# Configuration of the services\n\nMade from the code; do not edit. Each field is set by its environment variable, " +
		"or by its name in the YAML file of `--config`; the environment wins. A list is written as `a,b`, a map as " +
		"`name=value,name=value`. `naksha-<service> --help` prints the same. `naksha up` " +
		"tells its services themselves; what it is told are the pieces that run elsewhere.\n")
	write := func(program string, rows []conf.Row, err error) {
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "\n## %s\n\n| variable | type | default | meaning |\n| --- | --- | --- | --- |\n", program)
		for _, r := range rows {
			fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", r.Env, r.Type, code(r.Default), strings.TrimSuffix(r.Doc, "."))
		}
	}
	settings(write, "tenant", tenant.DefaultConfig())
	settings(write, "gateway", gateway.DefaultConfig())
	settings(write, "backup", backup.DefaultConfig())
	settings(write, "rotation", rotation.DefaultConfig())
	settings(write, "alerting", alerting.DefaultConfig())
	rows, err := conf.Table(up.External{}, "NAKSHA_UP")
	write("naksha up", rows, err)
	return b.String()
}

// settings writes what the program of a service reads.
func settings[C any](write func(string, []conf.Row, error), name string, defaults C) {
	rows, err := service.Settings(name, defaults)
	write("naksha-"+name, rows, err)
}

func code(text string) string {
	if text == "" {
		return ""
	}
	return "`" + text + "`"
}
