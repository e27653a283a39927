package house

import (
	"fmt"
	"go/ast"
	"strings"
)

// processWide are the calls and values that reach the whole process. Two instances of a service run in one process, so
// below main they are refused.
var processWide = map[string]string{
	"os.Exit":                 "return an error; main decides the exit code",
	"log.Fatal":               "return an error; main decides the exit code",
	"log.Fatalf":              "return an error; main decides the exit code",
	"log.Fatalln":             "return an error; main decides the exit code",
	"slog.SetDefault":         "pass the logger",
	"http.DefaultServeMux":    "make a mux of your own",
	"http.Handle":             "registers on the process's mux; make one of your own",
	"http.HandleFunc":         "registers on the process's mux; make one of your own",
	"prometheus.MustRegister": "register with the registry that was passed",
	"prometheus.Register":     "register with the registry that was passed",
	"signal.Notify":           "main handles signals",
	"signal.NotifyContext":    "main handles signals",
	"otel.SetTracerProvider":  "pass the provider",
	"otel.SetMeterProvider":   "pass the provider",
}

// programs are packages that run as a process of their own although they are not called main.
var programs = map[string]bool{
	"pkg/local":   true, // re-executes its binary as S3 child
	"pkg/service": true, // Main is the body of every service's main
}

// State refuses func init and process-wide calls in every package but main, tests apart.
func State(s *Source) []Violation {
	var bad []Violation
	for _, p := range s.Packages {
		for _, f := range p.Files {
			if f.Test || f.Made || f.AST.Name.Name == "main" || programs[p.Dir] {
				continue
			}
			bad = append(bad, inits(f)...)
			bad = append(bad, reaches(f)...)
		}
	}
	return bad
}

func inits(f *File) []Violation {
	var bad []Violation
	for _, d := range f.AST.Decls {
		if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.Name == "init" {
			bad = append(bad, f.at(fn.Pos(), "func init runs for the whole process; do it in New"))
		}
	}
	return bad
}

func reaches(f *File) []Violation {
	packages := packageNames(f)
	var bad []Violation
	ast.Inspect(f.AST, func(n ast.Node) bool {
		sel, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		x, ok := sel.X.(*ast.Ident)
		if !ok || !packages[x.Name] {
			return true
		}
		name := x.Name + "." + sel.Sel.Name
		if instead, refused := processWide[name]; refused {
			bad = append(bad, f.at(sel.Pos(), "%s below main: %s", name, instead))
		}
		return true
	})
	return bad
}

// packageNames returns the names under which the file knows packages, so that a local variable called signal or log is
// not taken for one.
func packageNames(f *File) map[string]bool {
	names := map[string]bool{}
	for imported, spec := range f.Imports() {
		name := imported[strings.LastIndex(imported, "/")+1:]
		if spec.Name != nil {
			name = spec.Name.Name
		}
		names[name] = true
	}
	return names
}

// What no function and no file passes, in lines.
const (
	maxFunction = 100
	maxFile     = 500
)

// Lengths refuses functions of more than a hundred lines, and files of more than five hundred: often two ideas in one.
func Lengths(s *Source) []Violation {
	var bad []Violation
	for _, p := range s.Packages {
		for _, f := range p.Files {
			if f.Made {
				continue
			}
			if lines := f.set.Position(f.AST.End()).Line; lines > maxFile {
				bad = append(bad, Violation{Path: f.Path, Why: fmt.Sprintf("has %d lines; it holds more than one idea", lines)})
			}
			bad = append(bad, longFunctions(f)...)
		}
	}
	return bad
}

func longFunctions(f *File) []Violation {
	var bad []Violation
	for _, d := range f.AST.Decls {
		fn, ok := d.(*ast.FuncDecl)
		if !ok {
			continue
		}
		if lines := f.set.Position(fn.End()).Line - f.set.Position(fn.Pos()).Line + 1; lines > maxFunction {
			bad = append(bad, f.at(fn.Pos(), "%s has %d lines; cut it into steps with names", fn.Name.Name, lines))
		}
	}
	return bad
}
