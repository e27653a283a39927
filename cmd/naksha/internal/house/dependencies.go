package house

import (
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"strings"
)

const dependencyTable = "docs/adr/0003-dependencies.md"

var requirement = regexp.MustCompile(`(?m)^(?:require)?\s+([a-z0-9][\w.\-]*\.[a-z]+/\S+) v\S+$`)

// Dependencies holds the table of dependencies to the go.mod files: each direct requirement of any module has its row,
// and each row is still required by one.
func Dependencies(tree fs.FS) ([]Violation, error) {
	rows, err := dependencyRows(tree)
	if err != nil {
		return nil, err
	}
	required, err := requirements(tree)
	if err != nil {
		return nil, err
	}
	var bad []Violation
	for _, r := range required {
		if !covered(r.module, rows) {
			bad = append(bad, Violation{Path: r.file, Why: "requires " + r.module + ", which has no row in " + dependencyTable})
		}
	}
	for name, line := range rows {
		if !used(name, required) {
			bad = append(bad, Violation{Path: dependencyTable, Line: line, Why: name + " is required by no module any more"})
		}
	}
	return bad, nil
}

type required struct{ file, module string }

// requirements returns the direct requirements of all modules, ours left out.
func requirements(tree fs.FS) ([]required, error) {
	files, err := fs.Glob(tree, "*/go.mod")
	if err != nil {
		return nil, err
	}
	deeper, err := fs.Glob(tree, "*/*/go.mod")
	if err != nil {
		return nil, err
	}
	var all []required
	for _, file := range append(files, deeper...) {
		text, err := fs.ReadFile(tree, file)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", path.Dir(file), err)
		}
		// Indirect ones end in a comment, which the expression does not take.
		for _, m := range requirement.FindAllStringSubmatch(string(text), -1) {
			if !within(m[1], Module) {
				all = append(all, required{file, m[1]})
			}
		}
	}
	return all, nil
}

// dependencyRows returns the modules named in the first cells of the table, with their lines.
func dependencyRows(tree fs.FS) (map[string]int, error) {
	text, err := fs.ReadFile(tree, dependencyTable)
	if err != nil {
		return nil, fmt.Errorf("read the table of dependencies: %w", err)
	}
	rows := map[string]int{}
	for i, line := range strings.Split(string(text), "\n") {
		if cells, ok := tableRow(line); ok {
			for _, m := range quoted.FindAllStringSubmatch(cells[0], -1) {
				rows[m[1]] = i + 1
			}
		}
	}
	return rows, nil
}

func covered(module string, rows map[string]int) bool {
	for name := range rows {
		if names(name, module) {
			return true
		}
	}
	return false
}

func used(name string, all []required) bool {
	for _, r := range all {
		if names(name, r.module) {
			return true
		}
	}
	return false
}

// names reports whether a row's name means the module: the module itself or a folder above it.
func names(row, module string) bool {
	return within(module, row) || within(module, "github.com/"+row)
}
