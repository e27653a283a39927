// Package sim runs real, concurrent code in a world where one goroutine decides everything from a seed: which process is
// served next, which call fails before or after its effect, which process dies at which call, what arrives late or twice,
// how far the clocks move. A scenario names the actors, what they touch (fakes, by Ask), what must hold after every effect
// (Always), and what must be reached once the faults end (Heal). Code under test runs unchanged, goroutines and timers
// included: each run is a bubble of testing/synctest, where time moves only when the world says so.
//
// It owns no fake: what a database or a bus does is the scenario's to say. It refuses to sleep for real.
package sim

import (
	"fmt"
	"os"
	"runtime/debug"
	"strconv"
	"testing"
	"testing/synctest"
)

// The environment's say in how much is simulated. A failure names what repeats it.
const (
	SeedsVariable = "NAKSHA_SIM_SEEDS" // how many seeds; default 200
	SeedVariable  = "NAKSHA_SIM_SEED"  // the first of them; default 1
)

const defaultSeeds = 200

// Scenario sets a world up, lets it storm and heal, and looks at what came of it.
type Scenario func(w *World)

// Check runs s under each seed, and fails t at the first one that breaks it, with what happened last.
func Check(t *testing.T, s Scenario) {
	t.Helper()
	first, count := seeds(t)
	var steps int
	for seed := first; seed < first+count; seed++ {
		o := Run(t, seed, s)
		if o.Broken != "" {
			t.Fatalf("seed %d: %s\nrepeat with %s=%d %s=1 go test -run '^%s$'\nthe last steps:\n%s",
				seed, o.Broken, SeedVariable, seed, SeedsVariable, t.Name(), o.History())
		}
		steps += o.Steps
	}
	t.Logf("%d seeds from %d, %d steps", count, first, steps)
}

// Catch wants s, which is broken on purpose, to be caught by one of as many seeds as Check would run.
func Catch(t *testing.T, s Scenario) {
	t.Helper()
	first, count := seeds(t)
	count = max(count, defaultSeeds)
	for seed := first; seed < first+count; seed++ {
		if o := Run(t, seed, s); o.Broken != "" {
			t.Logf("caught by seed %d after %d steps: %s", seed, o.Steps, o.Broken)
			return
		}
	}
	t.Errorf("%d seeds from %d did not catch it", count, first)
}

// Repeat wants the first seeds to make the same run each time: what a seed found would be lost otherwise. What makes two
// runs differ is outside of the world: chance that is not World.Rand or Process.Float64, the order of a map, a select
// between two that are ready, two goroutines of one process that make calls of one name at the same moment.
func Repeat(t *testing.T, seeds uint64, s Scenario) {
	t.Helper()
	for seed := range seeds {
		first, again := Run(t, seed, s), Run(t, seed, s)
		if step, differ := first.history.parts(again.history); differ {
			t.Errorf("seed %d makes different runs:\n%s\n%s\nafter\n%s", seed,
				first.history.line(step), again.history.line(step), first.history[:step])
		}
	}
}

// Outcome is what a run came to.
type Outcome struct {
	Broken  string // what did not hold; empty = all did
	Steps   int
	history history
}

// History is the last steps, one a line.
func (o Outcome) History() string { return o.history.String() }

// Run runs s under one seed, in a bubble of its own.
func Run(t *testing.T, seed uint64, s Scenario) (o Outcome) {
	t.Helper()
	synctest.Test(t, func(*testing.T) {
		w := newWorld(seed)
		defer w.end()
		defer func() { o = Outcome{Broken: broken(recover()), Steps: len(w.history), history: w.history} }()
		s(w)
	})
	return o
}

// broken says what a run ended with; empty when it ended well.
func broken(cause any) string {
	switch cause := cause.(type) {
	case nil:
		return ""
	case violation:
		return string(cause)
	default:
		return fmt.Sprintf("panic: %v\n%s", cause, debug.Stack())
	}
}

func seeds(t *testing.T) (first, count uint64) {
	t.Helper()
	return number(t, SeedVariable, 1), number(t, SeedsVariable, defaultSeeds)
}

func number(t *testing.T, variable string, otherwise uint64) uint64 {
	t.Helper()
	text := os.Getenv(variable)
	if text == "" {
		return otherwise
	}
	n, err := strconv.ParseUint(text, 10, 63)
	if err != nil {
		t.Fatalf("%s must be a number: %v", variable, err)
	}
	return n
}

// violation is what a run ends with when something does not hold.
type violation string

// Fail ends the run: something does not hold.
func (w *World) Fail(format string, args ...any) { panic(violation(fmt.Sprintf(format, args...))) }
