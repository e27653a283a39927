package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"sort"
	"strings"

	"github.com/naksha-cloud/naksha/cmd/naksha/internal/house"
)

// An entry is one line of `go test -json`; cmd/test2json and, for build output, cmd/go (go help buildjson).
type entry struct {
	Action     string
	Package    string
	ImportPath string
	Test       string
	Output     string
	Elapsed    float64 // seconds
}

// key names a test; Test is empty for the package itself.
type key struct {
	pkg, test string
}

// A report gathers the entries and prints each package when it ends.
type report struct {
	out     io.Writer
	output  map[key]*bytes.Buffer
	results map[key]string // pass, fail or skip
	parents map[key]bool   // tests with subtests; only leaves are counted
	broken  []string       // packages that failed without a failing test: build, panic, exit in TestMain
	unkept  []string       // promises whose test did not run or was skipped
}

func newReport(out io.Writer) *report {
	return &report{
		out: out, output: map[key]*bytes.Buffer{}, results: map[key]string{}, parents: map[key]bool{},
	}
}

// read takes the whole stream. Lines that are not JSON are passed on: a broken tool chain speaks plainly.
func (r *report) read(in io.Reader) error {
	lines := bufio.NewReader(in)
	for {
		line, err := lines.ReadBytes('\n')
		if len(line) > 0 {
			r.take(line)
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read test events: %w", err)
		}
	}
}

func (r *report) take(line []byte) {
	var e entry
	if err := json.Unmarshal(line, &e); err != nil {
		fmt.Fprintf(r.out, "%s", line)
		return
	}
	k := key{e.Package, e.Test}
	switch e.Action {
	case "output":
		r.keep(k, e.Output)
	case "build-output":
		fmt.Fprint(r.out, e.Output)
	case "build-fail":
		r.breaks(e.ImportPath)
	case "run":
		if i := strings.LastIndexByte(e.Test, '/'); i > 0 {
			r.parents[key{e.Package, e.Test[:i]}] = true
		}
	case "pass", "fail", "skip":
		r.results[k] = e.Action
		if e.Test == "" {
			r.endPackage(e)
		}
	}
}

// keep holds a test's output until it is known whether anybody wants to see it.
func (r *report) keep(k key, text string) {
	if r.output[k] == nil {
		r.output[k] = new(bytes.Buffer)
	}
	r.output[k].WriteString(text)
}

// endPackage prints the package's line, below its failures and skipped tests.
func (r *report) endPackage(e entry) {
	passed, failed, skipped := r.count(e.Package)
	for _, k := range r.sorted(e.Package) {
		switch r.results[k] {
		case "fail":
			fmt.Fprintf(r.out, "FAIL %s.%s\n%s", short(k.pkg), k.test, indent(r.output[k]))
		case "skip":
			fmt.Fprintf(r.out, "skip %s.%s\n%s", short(k.pkg), k.test, indent(r.output[k]))
		}
	}
	switch {
	case e.Action == "fail" && failed == 0:
		r.breaks(e.Package)
		fmt.Fprintf(r.out, "FAIL %s\n%s%s", short(e.Package), indent(r.output[key{e.Package, ""}]), r.unfinished(e.Package))
	case e.Action == "skip" || passed+failed+skipped == 0:
		r.forget(e.Package)
		return
	}
	mark := "ok  "
	if e.Action == "fail" {
		mark = "FAIL"
	}
	fmt.Fprintf(r.out, "%s %-46s %4d passed %3d failed %3d skipped %7.1fs\n", mark, short(e.Package), passed, failed, skipped, e.Elapsed)
	r.forget(e.Package)
}

// breaks notes a package once: a failed build is told for the package and again for its test binary.
func (r *report) breaks(pkg string) {
	pkg, _, _ = strings.Cut(pkg, " ")
	if !slices.Contains(r.broken, pkg) {
		r.broken = append(r.broken, pkg)
	}
}

// unfinished returns the output of tests that were running when the package died.
func (r *report) unfinished(pkg string) string {
	var b strings.Builder
	for k, text := range r.output {
		if k.pkg == pkg && k.test != "" && r.results[k] == "" {
			fmt.Fprintf(&b, "  while running %s:\n%s", k.test, indent(text))
		}
	}
	return b.String()
}

func (r *report) forget(pkg string) {
	for k := range r.output {
		if k.pkg == pkg {
			delete(r.output, k)
		}
	}
}

// count counts the leaves of the package, or of all packages for "".
func (r *report) count(pkg string) (passed, failed, skipped int) {
	for k, result := range r.results {
		if k.test == "" || r.parents[k] || pkg != "" && k.pkg != pkg {
			continue
		}
		switch result {
		case "pass":
			passed++
		case "fail":
			failed++
		case "skip":
			skipped++
		}
	}
	// A parent that fails by itself has no failing leaf to be counted by.
	for k := range r.parents {
		if r.results[k] == "fail" && (pkg == "" || k.pkg == pkg) && !r.failedBelow(k) {
			failed++
		}
	}
	return passed, failed, skipped
}

func (r *report) failedBelow(parent key) bool {
	for k, result := range r.results {
		if k.pkg == parent.pkg && result == "fail" && strings.HasPrefix(k.test, parent.test+"/") {
			return true
		}
	}
	return false
}

func (r *report) sorted(pkg string) []key {
	var keys []key
	for k := range r.results {
		if k.pkg == pkg && k.test != "" {
			keys = append(keys, k)
		}
	}
	sort.Slice(keys, func(i, j int) bool { return keys[i].test < keys[j].test })
	return keys
}

// hold checks the promises against what ran.
func (r *report) hold(promises []house.Promise) {
	for _, p := range promises {
		for _, t := range p.Tests {
			switch r.results[key{t.Import(), t.Name}] {
			case "pass", "fail": // a failure is counted where it happened
			case "skip":
				r.unkept = append(r.unkept, fmt.Sprintf("line %d: %s was skipped", p.Line, t))
			default:
				r.unkept = append(r.unkept, fmt.Sprintf("line %d: %s did not run", p.Line, t))
			}
		}
	}
}

// finish prints the sums and returns whether everything passed. Broken packages and unkept promises count as failures.
func (r *report) finish() bool {
	for _, why := range r.unkept {
		fmt.Fprintf(r.out, "FAIL docs/acceptance.md %s\n", why)
	}
	for _, pkg := range r.broken {
		fmt.Fprintf(r.out, "FAIL %s did not build or died\n", short(pkg))
	}
	passed, failed, skipped := r.count("")
	failed += len(r.broken) + len(r.unkept)
	if passed+failed+skipped == 0 {
		fmt.Fprintln(r.out, "no test ran")
		failed++
	}
	fmt.Fprintf(r.out, "%d passed, %d failed, %d skipped\n", passed, failed, skipped)
	return failed == 0
}

func short(pkg string) string {
	return strings.TrimPrefix(pkg, house.Module+"/")
}

// indent sets a test's output off, without the frame lines that repeat its name.
func indent(text *bytes.Buffer) string {
	if text == nil {
		return ""
	}
	var b strings.Builder
	for _, line := range strings.Split(strings.TrimRight(text.String(), "\n"), "\n") {
		if trimmed := strings.TrimSpace(line); strings.HasPrefix(trimmed, "=== ") || trimmed == "" {
			continue
		}
		b.WriteString("    " + line + "\n")
	}
	return b.String()
}
