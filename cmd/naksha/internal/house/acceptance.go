package house

import (
	"fmt"
	"go/ast"
	"io/fs"
	"path"
	"regexp"
	"strings"
)

// A Promise is one row of docs/acceptance.md: a sentence of an issue and what proves it.
type Promise struct {
	Line     int
	Sentence string
	Tests    []TestName
	Commands []string // what a person runs, such as "make demo"
}

// A TestName is a test as acceptance.md writes it: pkg/outbox.TestRelay…
type TestName struct {
	Dir  string // pkg/outbox
	Name string // TestRelaysInOrder, without subtests
}

// Import returns the import path of the test's package.
func (t TestName) Import() string { return Module + "/" + t.Dir }

// String renders the name as it is written in the document.
func (t TestName) String() string { return t.Dir + "." + t.Name }

var (
	quoted   = regexp.MustCompile("`([^`]+)`")
	testName = regexp.MustCompile(`^([a-z][a-z0-9_/]*)\.((?:Test|Fuzz|Example)\w*)(?:/.*)?$`)
)

// ParseAcceptance reads the tables of the document. A row has the sentence in its first cell and the proofs, in
// backquotes, in its last: a test as folder.TestName, anything else is a command. A row without a proof is an error:
// an open promise is written outside of the tables.
func ParseAcceptance(text string) ([]Promise, error) {
	var promises []Promise
	for i, line := range strings.Split(text, "\n") {
		cells, ok := tableRow(line)
		if !ok {
			continue
		}
		p := Promise{Line: i + 1, Sentence: cells[0]}
		for _, m := range quoted.FindAllStringSubmatch(cells[len(cells)-1], -1) {
			if t := testName.FindStringSubmatch(m[1]); t != nil {
				p.Tests = append(p.Tests, TestName{Dir: t[1], Name: t[2]})
			} else {
				p.Commands = append(p.Commands, m[1])
			}
		}
		if len(p.Tests)+len(p.Commands) == 0 {
			return nil, fmt.Errorf("acceptance line %d: %q names neither a test nor a command", i+1, p.Sentence)
		}
		promises = append(promises, p)
	}
	if len(promises) == 0 {
		return nil, fmt.Errorf("acceptance: no row found")
	}
	return promises, nil
}

// tableRow splits a body row of a Markdown table; headings and rulers are no rows.
func tableRow(line string) ([]string, bool) {
	line = strings.TrimSpace(line)
	if !strings.HasPrefix(line, "|") || !strings.HasSuffix(line, "|") || strings.HasPrefix(line, "| ---") {
		return nil, false
	}
	cells := strings.Split(strings.Trim(line, "|"), "|")
	for i := range cells {
		cells[i] = strings.TrimSpace(cells[i])
	}
	if len(cells) < 2 || cells[len(cells)-1] == "proof" {
		return nil, false
	}
	return cells, true
}

// Acceptance checks that every test named in docs/acceptance.md exists.
func Acceptance(s *Source) ([]Violation, error) {
	const name = "docs/acceptance.md"
	text, err := fs.ReadFile(s.FS, name)
	if err != nil {
		return nil, fmt.Errorf("read the promises: %w", err)
	}
	promises, err := ParseAcceptance(string(text))
	if err != nil {
		return nil, err
	}
	tests := existingTests(s)
	var bad []Violation
	for _, p := range promises {
		for _, t := range p.Tests {
			if !tests[t] {
				bad = append(bad, Violation{Path: name, Line: p.Line, Why: "names " + t.String() + ", which does not exist"})
			}
		}
	}
	return bad, nil
}

func existingTests(s *Source) map[TestName]bool {
	tests := map[TestName]bool{}
	for _, p := range s.Packages {
		for _, f := range p.Files {
			if !f.Test {
				continue
			}
			for _, d := range f.AST.Decls {
				if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil {
					tests[TestName{Dir: path.Clean(p.Dir), Name: fn.Name.Name}] = true
				}
			}
		}
	}
	return tests
}
