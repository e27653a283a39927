package workspace_test

import (
	"testing"

	"github.com/naksha-cloud/naksha/pkg/fault"
	"github.com/naksha-cloud/naksha/services/tenant/internal/workspace"
)

func TestRefsDifferAndAreValid(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for range 1000 {
		ref := workspace.NewRef()
		if seen[ref] || !workspace.ValidRef(ref) {
			t.Fatalf("drew %q", ref)
		}
		seen[ref] = true
	}
}

func TestParsesOnlyNamesOfWorkspaces(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]bool{
		"workspaces/abcdefghijklmnopqrst": true, "workspaces/abcdefghijklmnopqrs": false, "workspaces/abcdefghijklmnopqrsT": false,
		"abcdefghijklmnopqrst": false, "workspaces/": false, "": false, "workspaces/abcdefghijklmnopqrst/keys": false,
	} {
		if _, ok := workspace.ParseName(name); ok != want {
			t.Errorf("%q: %v", name, ok)
		}
	}
}

func TestReadsFilters(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]workspace.Filter{
		"":                                    {State: workspace.Active},
		`state = "STATE_DELETED"`:             {State: workspace.Deleted},
		`plan="pro" AND state="active"`:       {State: workspace.Active, Plan: "pro"},
		`display_name = "a \"b\" AND c = \\"`: {State: workspace.Active, DisplayName: `a "b" AND c = \`},
		`  cell = "cells/cell1"  AND  plan = "free" `: {State: workspace.Active, Cell: "cell1", Plan: "free"},
	} {
		if got, err := workspace.ParseFilter(text); err != nil || got != want {
			t.Errorf("%s: %+v, %v", text, got, err)
		}
	}
}

func TestRefusesMalformedFilters(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"x", `plan`, `plan = pro`, `plan = "pro`, `plan = "pro" AND`, `plan = "pro" OR cell = "c"`, `plan = "pro" plan = "pro"`,
		`plan = "a" AND plan = "b"`, `name = "x"`, `plan = ""`, `state = "gone"`, `AND`, `= "x"`,
	} {
		if f, err := workspace.ParseFilter(text); fault.ReasonOf(err) != "FILTER_INVALID" {
			t.Errorf("%s: %+v, %v", text, f, err)
		}
	}
}

func FuzzParseFilter(f *testing.F) {
	for _, seed := range []string{`plan = "pro"`, `a="b" AND `, `display_name = "\\\""`, `"`, "=", `state="active" AND cell="x"`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if _, err := workspace.ParseFilter(text); err != nil && fault.ReasonOf(err) != "FILTER_INVALID" {
			t.Error(err)
		}
	})
}
