package house

import (
	"go/ast"
	"strings"
)

// Documented wants a comment on every package, one that says something: "Package x …" or, for a program, any sentence.
func Documented(s *Source) []Violation {
	var bad []Violation
	for _, p := range s.Packages {
		if v, ok := undocumented(p); ok {
			bad = append(bad, v)
		}
	}
	return bad
}

func undocumented(p *Package) (Violation, bool) {
	code := 0
	for _, f := range p.Files {
		if f.Test {
			continue
		}
		if f.Made {
			return Violation{}, false
		}
		code++
		if doc := f.AST.Doc; doc != nil && says(doc, f.AST.Name.Name) {
			return Violation{}, false
		}
	}
	if code == 0 {
		return Violation{}, false
	}
	return Violation{Path: p.Dir, Why: "no package comment: say what it owns and what it refuses"}, true
}

func says(doc *ast.CommentGroup, name string) bool {
	text := strings.TrimSpace(doc.Text())
	return name == "main" && text != "" || strings.HasPrefix(text, "Package "+name+" ")
}

// ParallelTests wants t.Parallel as the first statement of every test.
func ParallelTests(s *Source) []Violation {
	var bad []Violation
	for _, p := range s.Packages {
		for _, f := range p.Files {
			if !f.Test {
				continue
			}
			for _, d := range f.AST.Decls {
				fn, ok := d.(*ast.FuncDecl)
				if ok && isTest(fn) && !startsParallel(fn) {
					bad = append(bad, f.at(fn.Pos(), "%s does not start with t.Parallel()", fn.Name.Name))
				}
			}
		}
	}
	return bad
}

func isTest(fn *ast.FuncDecl) bool {
	return fn.Recv == nil && strings.HasPrefix(fn.Name.Name, "Test") && fn.Name.Name != "TestMain"
}

func startsParallel(fn *ast.FuncDecl) bool {
	if len(fn.Body.List) == 0 {
		return false
	}
	statement, ok := fn.Body.List[0].(*ast.ExprStmt)
	if !ok {
		return false
	}
	call, ok := statement.X.(*ast.CallExpr)
	if !ok {
		return false
	}
	sel, ok := call.Fun.(*ast.SelectorExpr)
	return ok && sel.Sel.Name == "Parallel"
}
