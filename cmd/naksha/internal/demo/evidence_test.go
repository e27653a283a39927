package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestStepsPrintAsAlignedLines(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	p := Printer{Out: &out}
	p.Line(Evidence{Step: 1, Name: "start", Holds: true, Seconds: 12.345, Says: "ready in 9.81 s"})
	p.Line(Evidence{Step: 4, Name: "restore", Seconds: 0.84, Says: "snapshot taken", Problem: "object \"a\" is gone"})
	p.Line(Evidence{Step: 8, Name: "summary", Holds: true, Seconds: 125, Says: "7 of 7 claims hold"})
	want := `✓ 1  start     12.35 s  ready in 9.81 s
✗ 4  restore    840 ms  object "a" is gone · before that: snapshot taken
✓ 8  summary     2m05s  7 of 7 claims hold
`
	if out.String() != want {
		t.Errorf("got\n%swant\n%s", out.String(), want)
	}
}

func TestColourIsLeftOutUnlessAskedFor(t *testing.T) {
	t.Parallel()
	for _, colour := range []bool{true, false} {
		var out bytes.Buffer
		Printer{Out: &out, Colour: colour}.Line(Evidence{Holds: true})
		if got := strings.Contains(out.String(), "\x1b[32m✓\x1b[0m"); got != colour {
			t.Errorf("colour %v: %q", colour, out.String())
		}
	}
}

func TestDurationsReadWell(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		3210 * time.Microsecond: "3.2 ms", 840 * time.Millisecond: "840 ms", 1240 * time.Millisecond: "1.24 s",
		59 * time.Second: "59.00 s", 125 * time.Second: "2m05s",
	} {
		if got := Took(d); got != want {
			t.Errorf("%v: got %q, want %q", d, got, want)
		}
	}
}

func TestEvidenceFileHoldsTheNumbers(t *testing.T) {
	t.Parallel()
	f := newFinding()
	f.note("restart_seconds", 1500*time.Millisecond)
	f.note("acknowledged", 41)
	path := filepath.Join(t.TempDir(), "evidence.json")
	err := WriteEvidence(path, []Evidence{{Step: 7, Name: "crash", Claim: "nothing is lost", Holds: true, Seconds: 2, Evidence: f.numbers}})
	if err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var read []map[string]any
	if err := json.Unmarshal(content, &read); err != nil {
		t.Fatal(err)
	}
	numbers, _ := read[0]["evidence"].(map[string]any)
	if read[0]["step"] != 7.0 || read[0]["holds"] != true || numbers["restart_seconds"] != 1.5 || numbers["acknowledged"] != 41.0 {
		t.Errorf("got %s", content)
	}
	if err := WriteEvidence(filepath.Join(path, "x"), nil); err == nil || !strings.Contains(err.Error(), "--evidence") {
		t.Errorf("got %v, want the remedy", err)
	}
}

func TestStepWaitsForTheStepsThatItNeeds(t *testing.T) {
	t.Parallel()
	w := &world{}
	ran := false
	s := step{name: "load", needs: []int{1}, run: func(context.Context, *world, *finding) error { ran = true; return nil }}
	if e := w.take(t.Context(), 2, s, []Evidence{{Step: 1}}); e.Holds || ran || !strings.Contains(e.Problem, "needs step 1") {
		t.Errorf("after a failed step: ran %v, %+v", ran, e)
	}
	if e := w.take(t.Context(), 2, s, []Evidence{{Step: 1, Holds: true}}); !e.Holds || !ran {
		t.Errorf("after a good step: ran %v, %+v", ran, e)
	}
}

func TestFailedStepKeepsWhatItSaw(t *testing.T) {
	t.Parallel()
	s := step{run: func(_ context.Context, _ *world, f *finding) error {
		f.note("rows", 3)
		f.say("%d rows", 3)
		return errors.New("it broke")
	}}
	e := (&world{}).take(t.Context(), 1, s, nil)
	if e.Holds || e.Problem != "it broke" || e.Says != "3 rows" || e.Evidence["rows"] != 3 {
		t.Errorf("got %+v", e)
	}
}

func TestSummaryHoldsOnlyWhenEverythingDoes(t *testing.T) {
	t.Parallel()
	good := []Evidence{{Holds: true}, {Holds: true}}
	if e := summary(good, time.Minute); !e.Holds || e.Step != 3 || !Holds(append(good, e)) {
		t.Errorf("got %+v", e)
	}
	bad := []Evidence{{Holds: true}, {}}
	if e := summary(bad, time.Minute); e.Holds || e.Problem != "1 of 2 claims do not hold" || Holds(bad) || Holds(nil) {
		t.Errorf("got %+v", e)
	}
}
