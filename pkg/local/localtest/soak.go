package localtest

import (
	"hash/fnv"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"
)

// Rounds is how often a test of chances repeats: short in `make test`, soak in `make soak` (NAKSHA_SOAK).
func Rounds(short, soak int) int {
	if Soak() {
		return soak
	}
	return short
}

// Soak says whether this is a long run, `make soak`.
func Soak() bool { return os.Getenv("NAKSHA_SOAK") != "" }

// Bar is how long something may take at most: its bar in `make soak`, where the machine is ours. In `make test`, with the
// race detector, other packages beside it and perhaps a machine ten times slower, twenty times that, so that what fails is
// broken and not merely late.
func Bar(bar time.Duration) time.Duration {
	if Soak() {
		return bar
	}
	return 20 * bar
}

// Seed prints the seed of a test's chances and returns them: NAKSHA_SEED, or a new one. Two tests with one seed differ.
func Seed(t testing.TB) *rand.Rand {
	t.Helper()
	seed, err := strconv.ParseUint(os.Getenv("NAKSHA_SEED"), 10, 64)
	if err != nil {
		seed = rand.Uint64()
	}
	t.Logf("repeat with NAKSHA_SEED=%d", seed)
	name := fnv.New64a()
	_, _ = name.Write([]byte(t.Name())) // never fails
	return rand.New(rand.NewPCG(seed, name.Sum64()))
}
