// Command testreport reads `go test -json` and prints what a person wants to see: a line for each package, failures in
// full, skipped tests with their reason, and one last line "N passed, N failed, N skipped".
//
// With -acceptance it also fails when a test that the document names did not run, or was skipped.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"

	"github.com/naksha-cloud/naksha/cmd/naksha/internal/house"
)

func main() {
	acceptance := flag.String("acceptance", "", "document whose tests must have run and passed")
	flag.Parse()
	ok, err := run(os.Stdin, os.Stdout, *acceptance)
	if err != nil {
		fmt.Fprintln(os.Stderr, "testreport:", err)
		os.Exit(2)
	}
	if !ok {
		os.Exit(1)
	}
}

// run reports the events of in and returns whether everything passed.
func run(in io.Reader, out io.Writer, acceptance string) (bool, error) {
	r := newReport(out)
	if err := r.read(in); err != nil {
		return false, err
	}
	if acceptance != "" {
		promises, err := load(acceptance)
		if err != nil {
			return false, err
		}
		r.hold(promises)
	}
	return r.finish(), nil
}

func load(name string) ([]house.Promise, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("read the promises: %w", err)
	}
	return house.ParseAcceptance(string(text))
}
