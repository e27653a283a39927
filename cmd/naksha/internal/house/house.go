// Package house holds the rules of this repository as code: what may import what, what stays out of packages below
// main, what the documents promise. Each rule reads a file tree and returns what breaks it; the tests run every rule on
// the repository, and on a small tree that breaks it, since a rule that cannot fail guards nothing.
//
// It looks at sources only and imports nothing but the standard library.
package house

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"sort"
	"strings"
)

// Module is the path that all our modules begin with.
const Module = "github.com/naksha-cloud/naksha"

// Services are the five; each is a folder below services.
var Services = []string{"alerting", "backup", "gateway", "rotation", "tenant"}

// A Violation is one place that breaks a rule.
type Violation struct {
	Path string // file or folder, relative to the repository
	Line int    // 0 when the whole file is meant
	Why  string // what is wrong, and what would be right
}

// String renders the violation as an editor's jump target.
func (v Violation) String() string {
	if v.Line == 0 {
		return v.Path + ": " + v.Why
	}
	return fmt.Sprintf("%s:%d: %s", v.Path, v.Line, v.Why)
}

// A File is one parsed Go file.
type File struct {
	Path string // relative to the repository, with slashes
	Test bool   // its name ends in _test.go
	Made bool   // generated: "Code generated … DO NOT EDIT."
	AST  *ast.File
	set  *token.FileSet
}

// A Package is one folder with Go files.
type Package struct {
	Dir   string // services/tenant/internal/quota
	Files []*File
}

// A Source is the Go code of the tree, parsed once for all rules.
type Source struct {
	FS       fs.FS
	Packages []*Package // sorted by Dir
}

// Load parses every Go file of the tree. It fails on a file that does not parse: no rule could be trusted then.
func Load(tree fs.FS) (*Source, error) {
	folders := map[string]*Package{}
	set := token.NewFileSet()
	err := fs.WalkDir(tree, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			return skipFolder(name, d.Name())
		}
		if !strings.HasSuffix(name, ".go") {
			return nil
		}
		file, err := parse(tree, set, name)
		if err != nil {
			return err
		}
		dir := path.Dir(name)
		if folders[dir] == nil {
			folders[dir] = &Package{Dir: dir}
		}
		folders[dir].Files = append(folders[dir].Files, file)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the source tree: %w", err)
	}
	source := &Source{FS: tree}
	for _, p := range folders {
		source.Packages = append(source.Packages, p)
	}
	sort.Slice(source.Packages, func(i, j int) bool { return source.Packages[i].Dir < source.Packages[j].Dir })
	return source, nil
}

// skipFolder leaves out what the go command leaves out, and what is not part of the repository.
func skipFolder(name, base string) error {
	if name != "." && (strings.HasPrefix(base, ".") || strings.HasPrefix(base, "_") || base == "testdata") ||
		name == "bin" || name == "shared" {
		return fs.SkipDir
	}
	return nil
}

func parse(tree fs.FS, set *token.FileSet, name string) (*File, error) {
	text, err := fs.ReadFile(tree, name)
	if err != nil {
		return nil, err
	}
	syntax, err := parser.ParseFile(set, name, text, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	return &File{
		Path: name, Test: strings.HasSuffix(name, "_test.go"), Made: ast.IsGenerated(syntax), AST: syntax, set: set,
	}, nil
}

// at makes a violation at a position of the file.
func (f *File) at(pos token.Pos, format string, args ...any) Violation {
	return Violation{Path: f.Path, Line: f.set.Position(pos).Line, Why: fmt.Sprintf(format, args...)}
}

// Imports returns the import paths of the file with their specs.
func (f *File) Imports() map[string]*ast.ImportSpec {
	imports := map[string]*ast.ImportSpec{}
	for _, spec := range f.AST.Imports {
		imports[strings.Trim(spec.Path.Value, `"`)] = spec
	}
	return imports
}

// folder returns the folder of the repository that an import path means, or "" when it is not ours.
func folder(importPath string) string {
	rest, ours := strings.CutPrefix(importPath, Module+"/")
	if !ours {
		return ""
	}
	return rest
}

// within reports whether dir is base or lies below it.
func within(dir, base string) bool {
	return dir == base || strings.HasPrefix(dir, base+"/")
}

// standard reports whether the import path belongs to the standard library: its first element has no dot.
func standard(importPath string) bool {
	first, _, _ := strings.Cut(importPath, "/")
	return !strings.Contains(first, ".")
}
