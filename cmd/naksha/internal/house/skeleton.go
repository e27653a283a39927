package house

import (
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"strings"
)

// charter is what the README of a service answers, each as a heading or in bold.
var charter = []string{"owns", "emits", "handles", "calls", "promises", "runbook"}

// Skeleton holds every service to the same files: who knows one, knows where to look in the others.
func Skeleton(s *Source) []Violation {
	var bad []Violation
	for _, service := range Services {
		dir := "services/" + service
		for _, name := range []string{service + ".go", "config.go", "cmd/" + service + "/main.go", "README.md"} {
			if _, err := fs.Stat(s.FS, dir+"/"+name); err != nil {
				bad = append(bad, Violation{Path: dir, Why: "has no " + name})
			}
		}
		for _, layer := range []layer{store, api, event} {
			if !s.has(dir + "/internal/" + string(layer)) {
				bad = append(bad, Violation{Path: dir, Why: "has no package internal/" + string(layer)})
			}
		}
		bad = append(bad, uncharted(s.FS, dir+"/README.md")...)
	}
	return bad
}

func uncharted(tree fs.FS, name string) []Violation {
	text, err := fs.ReadFile(tree, name)
	if err != nil {
		return nil // reported as missing
	}
	var bad []Violation
	for _, word := range charter {
		if !regexp.MustCompile(`(?im)^(#+\s*|[-*]?\s*\*\*|\|\s*\**)` + word + `\b`).Match(text) {
			bad = append(bad, Violation{Path: name, Why: "does not say what the service " + word + " (a heading or bold word at the start of a line)"})
		}
	}
	return bad
}

func (s *Source) has(dir string) bool {
	for _, p := range s.Packages {
		if p.Dir == dir {
			return true
		}
	}
	return false
}

var link = regexp.MustCompile(`\]\(([^)\s]+)\)`)

// Links checks that what Markdown files of the tree link to is there. Addresses of others are not asked.
func Links(tree fs.FS, names []string) ([]Violation, error) {
	var bad []Violation
	for _, name := range names {
		if path.Ext(name) != ".md" || foreignText(name) {
			continue
		}
		text, err := fs.ReadFile(tree, name)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", name, err)
		}
		for i, line := range strings.Split(string(text), "\n") {
			for _, m := range link.FindAllStringSubmatch(line, -1) {
				target, _, _ := strings.Cut(m[1], "#")
				if target == "" || strings.Contains(target, ":") {
					continue
				}
				if _, err := fs.Stat(tree, path.Join(path.Dir(name), target)); err != nil {
					bad = append(bad, Violation{Path: name, Line: i + 1, Why: "links to " + m[1] + ", which is not there"})
				}
			}
		}
	}
	return bad, nil
}
