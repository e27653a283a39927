package service_test

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/naksha-cloud/naksha/pkg/service"
)

type program struct {
	service.Config `conf:",squash"`

	Colour string `conf:"colour" doc:"what it is painted in"`
}

type runner struct{}

func (runner) Start(context.Context) error { return nil }
func (runner) Stop(context.Context) error  { return nil }
func (runner) Ready(context.Context) error { return nil }

func TestProgramReadsItsEnvironmentAndNamesMistakes(t *testing.T) {
	t.Parallel()
	var told program
	p := service.Program[program]{
		Name: "tenant", Config: program{Config: service.DefaultConfig()},
		New: func(c program, _ service.Deps) (service.Runner, error) {
			told = c
			return runner{}, c.Validate()
		},
	}
	for name, test := range map[string]struct {
		args, environ []string
		code          int
		says          string
	}{
		"help":                   {args: []string{"--help"}, says: "NAKSHA_TENANT_COLOUR"},
		"an unexpected argument": {args: []string{"x"}, code: 2, says: "unexpected argument"},
		"an unknown flag":        {args: []string{"--x"}, code: 2, says: "not defined"},
		"a mistyped variable":    {environ: []string{"NAKSHA_TENANT_COLOR=red"}, code: 2, says: "COLOUR"},
		"a missing field":        {environ: []string{"NAKSHA_TENANT_COLOUR=red"}, code: 2, says: "database_url"},
	} {
		var stderr bytes.Buffer
		if code := p.Main(test.args, test.environ, &stderr); code != test.code || !strings.Contains(stderr.String(), test.says) {
			t.Errorf("%s: exit code %d, %s", name, code, stderr.String())
		}
	}
	if told.Colour != "red" || told.Listen == "" {
		t.Errorf("configuration is %+v", told)
	}
}
