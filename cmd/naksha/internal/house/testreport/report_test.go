package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/naksha-cloud/naksha/cmd/naksha/internal/house"
)

const pkgRun = house.Module + "/pkg/run"

func TestCountsLeavesAndShowsFailuresInFull(t *testing.T) {
	t.Parallel()
	ok, out := reported(t, "",
		entry{Action: "run", Package: pkgRun, Test: "TestStops"},
		entry{Action: "output", Package: pkgRun, Test: "TestStops", Output: "quiet\n"},
		entry{Action: "pass", Package: pkgRun, Test: "TestStops"},
		entry{Action: "run", Package: pkgRun, Test: "TestStarts"},
		entry{Action: "run", Package: pkgRun, Test: "TestStarts/twice"},
		entry{Action: "output", Package: pkgRun, Test: "TestStarts/twice", Output: "=== RUN   TestStarts/twice\n"},
		entry{Action: "output", Package: pkgRun, Test: "TestStarts/twice", Output: "    run_test.go:7: it did not start\n"},
		entry{Action: "run", Package: pkgRun, Test: "TestStarts/late"},
		entry{Action: "output", Package: pkgRun, Test: "TestStarts/late", Output: "    run_test.go:9: no clock here\n"},
		entry{Action: "skip", Package: pkgRun, Test: "TestStarts/late"},
		entry{Action: "fail", Package: pkgRun, Test: "TestStarts/twice"},
		entry{Action: "fail", Package: pkgRun, Test: "TestStarts"},
		entry{Action: "fail", Package: pkgRun, Elapsed: 1.5},
	)
	if ok {
		t.Error("a failed test passes")
	}
	for _, want := range []string{"FAIL pkg/run.TestStarts/twice", "it did not start", "skip pkg/run.TestStarts/late", "no clock here", "1.5s"} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is missing in:\n%s", want, out)
		}
	}
	if strings.Contains(out, "quiet") || strings.Contains(out, "=== RUN") {
		t.Errorf("output of passed tests or frames are shown:\n%s", out)
	}
	wantLast(t, out, "1 passed, 1 failed, 1 skipped")
}

func TestPassesWhenAllPass(t *testing.T) {
	t.Parallel()
	ok, out := reported(t, "", passed("TestStops")...)
	if !ok {
		t.Error("refused")
	}
	wantLast(t, out, "1 passed, 0 failed, 0 skipped")
}

func TestAFailedBuildIsOneFailure(t *testing.T) {
	t.Parallel()
	ok, out := reported(t, "", append(passed("TestStops"),
		entry{Action: "build-output", ImportPath: pkgRun + "x [" + pkgRun + "x.test]", Output: "x.go:1: undefined: y\n"},
		entry{Action: "build-fail", ImportPath: pkgRun + "x [" + pkgRun + "x.test]"},
		entry{Action: "output", Package: pkgRun + "x", Output: "FAIL [build failed]\n"},
		entry{Action: "fail", Package: pkgRun + "x"},
	)...)
	if ok || !strings.Contains(out, "undefined: y") {
		t.Errorf("ok = %v:\n%s", ok, out)
	}
	wantLast(t, out, "1 passed, 1 failed, 0 skipped")
}

func TestAPackageThatDiesTellsWhatItWasDoing(t *testing.T) {
	t.Parallel()
	ok, out := reported(t, "",
		entry{Action: "run", Package: pkgRun, Test: "TestHangs"},
		entry{Action: "output", Package: pkgRun, Test: "TestHangs", Output: "panic: test timed out\n"},
		entry{Action: "fail", Package: pkgRun},
	)
	if ok || !strings.Contains(out, "while running TestHangs") || !strings.Contains(out, "timed out") {
		t.Errorf("ok = %v:\n%s", ok, out)
	}
	wantLast(t, out, "0 passed, 1 failed, 0 skipped")
}

func TestNoTestAtAllIsAFailure(t *testing.T) {
	t.Parallel()
	ok, out := reported(t, "")
	if ok {
		t.Error("an empty run passes")
	}
	wantLast(t, out, "0 passed, 1 failed, 0 skipped")
}

func TestAPromisedTestMustRunAndPass(t *testing.T) {
	t.Parallel()
	skipped := []entry{
		{Action: "run", Package: pkgRun, Test: "TestStops"},
		{Action: "skip", Package: pkgRun, Test: "TestStops"},
		{Action: "pass", Package: pkgRun},
	}
	tests := map[string]struct {
		entries []entry
		ok      bool
		want    string
	}{
		"kept":    {passed("TestStops"), true, ""},
		"skipped": {skipped, false, "pkg/run.TestStops was skipped"},
		"missing": {passed("TestStarts"), false, "pkg/run.TestStops did not run"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			document := filepath.Join(t.TempDir(), "acceptance.md")
			text := "| promise | proof |\n| --- | --- |\n| it stops | `pkg/run.TestStops` |\n"
			if err := os.WriteFile(document, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			ok, out := reported(t, document, test.entries...)
			if ok != test.ok || !strings.Contains(out, test.want) {
				t.Errorf("ok = %v, want %v and %q in:\n%s", ok, test.ok, test.want, out)
			}
		})
	}
}

func TestADocumentThatCannotBeReadIsAnError(t *testing.T) {
	t.Parallel()
	if _, err := run(strings.NewReader(""), new(strings.Builder), filepath.Join(t.TempDir(), "absent")); err == nil {
		t.Error("no error")
	}
}

func passed(test string) []entry {
	return []entry{
		{Action: "run", Package: pkgRun, Test: test},
		{Action: "pass", Package: pkgRun, Test: test},
		{Action: "pass", Package: pkgRun},
	}
}

func reported(t *testing.T, acceptance string, entries ...entry) (bool, string) {
	t.Helper()
	var in, out strings.Builder
	for _, e := range entries {
		line, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		in.Write(append(line, '\n'))
	}
	ok, err := run(strings.NewReader(in.String()), &out, acceptance)
	if err != nil {
		t.Fatal(err)
	}
	return ok, out.String()
}

func wantLast(t *testing.T, out, want string) {
	t.Helper()
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if last := lines[len(lines)-1]; last != want {
		t.Errorf("last line %q, want %q", last, want)
	}
}
