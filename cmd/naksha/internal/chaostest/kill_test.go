package chaostest_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/naksha-cloud/naksha/cmd/naksha/internal/chaostest"
	"github.com/naksha-cloud/naksha/pkg/local/localtest"
)

var programs chaostest.Binaries

func TestMain(m *testing.M) {
	code := localtest.Run(m)
	if err := programs.Remove(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = max(code, 1)
	}
	os.Exit(code)
}

// kills is how many kills one platform lives through: a cell holds only so many workspaces.
const kills = 25

func TestKillsAndPausesLoseNothingAndDoNothingTwice(t *testing.T) {
	t.Parallel()
	chance, binary := localtest.Seed(t), programs.All(t)
	for i := range localtest.Rounds(kills, 500) / kills {
		t.Run(fmt.Sprint(i), func(t *testing.T) { // one platform after the other: their traffic fills the machine
			surviveKills(t, binary, chance)
		})
	}
}

// surviveKills kills each part of a platform in turn, in an order of chance, and pauses one after every fifth kill.
func surviveKills(t *testing.T, binary string, chance *rand.Rand) {
	t.Helper()
	p := chaostest.NewPlatform(t, binary, filepath.Join(localtest.TempDir(t), "state"), "--processes")
	trial, targets := chaostest.Begin(t, p, chance), []chaostest.Target(nil)
	for i := range kills {
		if len(targets) == 0 {
			targets = chaostest.Targets()
			chance.Shuffle(len(targets), func(i, k int) { targets[i], targets[k] = targets[k], targets[i] })
		}
		target := targets[0]
		targets = targets[1:]
		survive(t, trial, func() (string, error) { return trial.Kill(t.Context(), target) })
		if i%5 == 4 {
			target := chaostest.Targets()[chance.IntN(len(chaostest.Targets()))]
			long := time.Duration(100+chance.IntN(1000)) * time.Millisecond
			survive(t, trial, func() (string, error) { return trial.Pause(t.Context(), target, long) })
		}
	}
	finish(t, trial)
}

// survive strikes, and lets outsiders look for what is lost or there twice.
func survive(t *testing.T, trial *chaostest.Trial, strike func() (string, error)) {
	t.Helper()
	told, err := strike()
	if err != nil {
		t.Fatal(told, err)
	}
	v, err := trial.Check(t.Context())
	if err != nil {
		t.Fatalf("after %s: %v", told, err)
	}
	t.Logf("%s; %s", told, v)
}

// finish holds everything to its end state.
func finish(t *testing.T, trial *chaostest.Trial) {
	t.Helper()
	told, err := trial.Finish(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Log(told)
}
