package rotation_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/naksha-cloud/naksha/services/rotation/internal/rotation"
)

// mishaps are what the dice may do to one step; most steps go well.
var mishaps = []string{"", "", "", "", "crash", "lost reply", "unreachable"}

// everyday is what holders do.
var everyday = []string{"", "", "open", "close", "acknowledge"}

// TestNeverBothDead runs the machine through random schedules of crashes, lost replies and holders' habits.
func TestNeverBothDead(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t, rapid.Bool().Draw(t, "first"))
		for range rapid.IntRange(1, 120).Draw(t, "steps") {
			w.advance(rapid.SampledFrom(mishaps).Draw(t, "mishap"))
			w.live(rapid.SampledFrom(everyday).Draw(t, "life"))
			w.want(w.r.Old == 0 || w.old.works() || w.new.works(), "killed both generations")
			w.want(w.r.PromotedAt.IsZero() == (w.r.AcknowledgedAt.IsZero() || !w.r.Stage().Touchable() && !w.r.State.Ended()),
				"promoted without an acknowledgement")
		}
		w.settle()
		w.want(w.r.State == rotation.Completed, "did not complete")
		w.want(w.new.works() && !w.old.Exists, "left the wrong generation alive")
		w.want(w.verified && (w.proven || w.r.Old == 0), "completed without evidence")
	})
}

// TestConverges adds meddlers, broken passwords, deleted workspaces and targets that say never.
func TestConverges(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t, false)
		harm := []string{"", "", "open", "close", "acknowledge", "meddle with new", "meddle with old", "break new", "mend"}
		if rapid.Bool().Draw(t, "deleted") {
			harm = append(harm, "retire")
		}
		dice := append([]string{"never"}, append(mishaps, mishaps...)...)
		for range rapid.IntRange(1, 150).Draw(t, "steps") {
			w.advance(rapid.SampledFrom(dice).Draw(t, "mishap"))
			w.live(rapid.SampledFrom(harm).Draw(t, "life"))
		}
		w.live("mend")
		w.settle()
		w.want(w.r.State.Ended(), "did not end")
		switch {
		case w.r.State == rotation.Completed:
			w.want(w.new.works() && !w.old.Exists, "left the wrong generation alive")
		case !w.r.Retired:
			w.want(w.old.works() && !w.new.Exists, "aborted and touched the old generation")
		}
	})
}

// settle lets everything go well from now on: the holder acknowledges, closes its old sessions, and time passes.
func (w *world) settle() {
	for range 400 {
		if w.r.State.Ended() {
			return
		}
		w.advance("")
		if w.new.broken { // whoever broke it repairs it
			w.new.broken = false
		}
		w.new.Enabled = w.new.Exists
		w.old.Sessions = 0
		if w.r.Stage() == rotation.Announced && w.r.AcknowledgedAt.IsZero() {
			w.r.AcknowledgedAt = w.now
		}
		w.pass(5 * time.Second)
	}
}
