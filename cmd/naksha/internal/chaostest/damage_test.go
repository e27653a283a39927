package chaostest_test

import (
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/naksha-cloud/naksha/cmd/naksha/internal/chaostest"
	"github.com/naksha-cloud/naksha/pkg/local/localtest"
)

// repairTime is the bar for facts that the bus lost.
var repairTime = localtest.Bar(30 * time.Second)

// facts are in the stream, and not yet taken by a consumer, when it is damaged.
const facts = 40

func TestFactsThatTheStreamLostAreFoundAndRepaired(t *testing.T) {
	t.Parallel()
	chance := localtest.Seed(t)
	p := chaostest.NewPlatform(t, programs.Naksha(t), filepath.Join(localtest.TempDir(t), "state"))
	trial := chaostest.Begin(t, p, chance)
	trial.Calm()
	for _, damage := range chaostest.Damages() {
		damageBetweenRuns(t, trial, damage)
	}
	for _, damage := range chaostest.Damages() {
		damageWhileItRuns(t, trial, damage)
	}
	// What the broker still had in memory is gone with its process.
	if err := errors.Join(trial.Platform.Kill(t.Context()), trial.Start(t.Context())); err != nil {
		t.Fatal(err)
	}
	finish(t, trial)
}

// damageBetweenRuns damages the stream of a killed platform: the broker finds it at its start.
func damageBetweenRuns(t *testing.T, trial *chaostest.Trial, damage chaostest.Damage) {
	t.Helper()
	release := publishUntaken(t, trial)
	if err := trial.Platform.Kill(t.Context()); err != nil {
		t.Fatal(err)
	}
	release()
	whole := trial.Messages(t, "tenant")
	if err := trial.SpoilStream("tenant", damage); err != nil {
		t.Fatal(err)
	}
	lost := whole - trial.Messages(t, "tenant")
	if lost == 0 {
		t.Fatalf("%s: the stream lost nothing", damage.Name)
	}
	if err := trial.Start(t.Context()); err != nil {
		t.Fatalf("%s: %v", damage.Name, err)
	}
	begin := time.Now()
	repaired(t, trial, damage, begin)
	t.Logf("%s between two runs: %d of %d facts gone from the stream, all taken %v after the start", damage.Name, lost, whole, time.Since(begin))
}

// damageWhileItRuns damages the stream under a broker that works.
func damageWhileItRuns(t *testing.T, trial *chaostest.Trial, damage chaostest.Damage) {
	t.Helper()
	release := publishUntaken(t, trial)
	if err := trial.SpoilStream("tenant", damage); err != nil {
		t.Fatal(err)
	}
	release()
	begin := time.Now()
	repaired(t, trial, damage, begin)
	t.Logf("%s while it runs: all taken %v later", damage.Name, time.Since(begin))
}

// publishUntaken publishes facts of tenant's that backup cannot take until release.
func publishUntaken(t *testing.T, trial *chaostest.Trial) (release func()) {
	t.Helper()
	if _, err := chaostest.AwaitSpine(t.Context(), trial.Platform, repairTime); err != nil {
		t.Fatalf("before: %v", err)
	}
	release, err := trial.Withhold(t.Context(), "backup")
	if err != nil {
		t.Fatal(err)
	}
	if err := trial.History.Order(t.Context(), trial.Clients.Workspaces(), facts); err != nil {
		t.Fatal(err)
	}
	if err := trial.AwaitPublished(t.Context(), "tenant"); err != nil {
		t.Fatal(err)
	}
	return release
}

// repaired waits for every fact, in time, and for one that is new.
func repaired(t *testing.T, trial *chaostest.Trial, damage chaostest.Damage, begin time.Time) {
	t.Helper()
	if _, err := chaostest.AwaitSpine(t.Context(), trial.Platform, repairTime-time.Since(begin)); err != nil {
		t.Fatalf("%s: %v", damage.Name, err)
	}
	if err := trial.History.Order(t.Context(), trial.Clients.Workspaces(), 1); err != nil {
		t.Fatalf("%s: %v", damage.Name, err)
	}
}
