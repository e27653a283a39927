package schedule_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/naksha-cloud/naksha/services/backup/internal/schedule"
)

func TestNextIsTheWorkspacesMinuteWithinADay(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		ref := rapid.StringMatching(`[a-z]{20}`).Draw(t, "ref")
		after := time.Unix(rapid.Int64Range(0, 4e9).Draw(t, "after"), 0)
		due := schedule.Next(ref, after)
		if !due.After(after) || due.Sub(after) > schedule.Day {
			t.Fatalf("due at %s, %s later", due, due.Sub(after))
		}
		if again := schedule.Next(ref, due); again.Sub(due) != schedule.Day {
			t.Fatalf("then %s later", again.Sub(due))
		}
	})
}

func TestWorkspacesAreSpreadOverTheDay(t *testing.T) {
	t.Parallel()
	hours := map[time.Duration]int{}
	for i := range 2400 {
		hours[schedule.Offset(string(rune('a'+i%26))+time.Duration(i).String())/time.Hour]++
	}
	for hour := range time.Duration(24) {
		if hours[hour] < 50 || hours[hour] > 200 {
			t.Errorf("%d of 2400 begin in hour %d", hours[hour], hour)
		}
	}
}
