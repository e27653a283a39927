package rotation_test

import (
	"testing"
	"time"

	"github.com/naksha-cloud/naksha/services/rotation/internal/rotation"
)

// TestLoginThatIsGivenBackAgainAndAgainBlocks: each disable rests longer than the one before, and people are told once.
func TestLoginThatIsGivenBackAgainAndAgainBlocks(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	r := rotation.Rotation{
		Old: 1, New: 2, QuietWindow: time.Second, Deadline: now.Add(time.Hour), State: rotation.Quarantined,
		PromotedAt: now.Add(-time.Minute),
	}
	up := rotation.Presence{Exists: true, Enabled: true}
	told, disabled := 0, 0
	for range 60 {
		switch d := rotation.Step(r, &rotation.Observation{Old: up, New: up}, now); d.Action {
		case rotation.Disable:
			disabled++
			after := rotation.After(r, d, "role disabled", now)
			r, told = after.Next, told+len(after.Facts)
		case rotation.Wait:
			r = rotation.Parked(r, d, now)
		default:
			t.Fatalf("%s because %s", d.Action, d.Reason)
		}
		now = now.Add(time.Second)
	}
	if r.State != rotation.Blocked || r.Blocked.Reason != rotation.OldAlive || r.Stage() != rotation.Quarantined || told != 1 {
		t.Errorf("told %d times: %+v", told, r)
	}
	if disabled > 12 {
		t.Errorf("disabled %d times in a minute", disabled)
	}
	down := rotation.Presence{Exists: true}
	d := rotation.Step(r, &rotation.Observation{Old: down, New: up}, now.Add(time.Minute))
	if next := rotation.After(r, d, "refused", now.Add(time.Minute)).Next; next.State != rotation.ProvenDead || next.Failures != 0 {
		t.Errorf("does not go on by %s: %+v", d.Action, next)
	}
}
