package house

import (
	"fmt"
	"io/fs"
	"regexp"
	"strings"
)

var (
	requireLine = regexp.MustCompile(`(?m)^\s*(?:require\s+)?(` + regexp.QuoteMeta(Module) + `/\S+)\s+v\S+`)
	replaceLine = regexp.MustCompile(`(?m)^\s*replace\s|\breplace\s*\(`)
)

// localUsers may import pkg/local outside of tests: itself, and the program that runs everything in one process.
var localUsers = regexp.MustCompile(`^(pkg/local|cmd/naksha)(/|$)`)

// Modules checks the go.mod files: no service requires another, and proto, which others import, replaces nothing
// (importers would not see it).
func Modules(tree fs.FS) ([]Violation, error) {
	var bad []Violation
	for _, service := range Services {
		name := "services/" + service + "/go.mod"
		text, err := fs.ReadFile(tree, name)
		if err != nil {
			return nil, fmt.Errorf("read the module of %s: %w", service, err)
		}
		for _, m := range requireLine.FindAllStringSubmatch(string(text), -1) {
			if other, _, ok := place(folder(m[1])); ok && other != service {
				bad = append(bad, Violation{Path: name, Why: "requires " + m[1] + "; services never require each other"})
			}
		}
	}
	text, err := fs.ReadFile(tree, "proto/go.mod")
	if err != nil {
		return nil, fmt.Errorf("read the module of proto: %w", err)
	}
	if replaceLine.Match(text) {
		bad = append(bad, Violation{Path: "proto/go.mod", Why: "has a replace, which importers ignore"})
	}
	return bad, nil
}

// LocalUse keeps pkg/local, with its heavy dependencies, out of what runs in production.
func LocalUse(s *Source) []Violation {
	var bad []Violation
	for _, p := range s.Packages {
		if localUsers.MatchString(p.Dir) || forTests(p.Dir) {
			continue
		}
		for _, f := range p.Files {
			for imported, spec := range f.Imports() {
				if !f.Test && within(folder(imported), "pkg/local") {
					bad = append(bad, f.at(spec.Pos(), "imports pkg/local, which is for cmd/naksha and tests"))
				}
			}
		}
	}
	return bad
}

// LocalAlone keeps pkg/local free of pkg: pkg's test packages import it.
func LocalAlone(s *Source) []Violation {
	var bad []Violation
	for _, p := range s.Packages {
		if !within(p.Dir, "pkg/local") {
			continue
		}
		for _, f := range p.Files {
			for imported, spec := range f.Imports() {
				target := folder(imported)
				if strings.HasPrefix(target, "pkg/") && !within(target, "pkg/local") {
					bad = append(bad, f.at(spec.Pos(), "pkg/local imports %s; pkg's test packages import pkg/local", target))
				}
			}
		}
	}
	return bad
}
