package spike_test

import (
	"testing"
	"time"

	"github.com/naksha-cloud/naksha/services/gateway/internal/spike"
)

func TestTheRuleNeedsRateAndShare(t *testing.T) {
	t.Parallel()
	end := time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)
	for _, test := range []struct {
		attempts, failures int64
		spiked             bool
	}{
		{0, 0, false}, {61, 61, true}, {60, 60, false}, {1000, 61, false}, {300, 61, true}, {306, 61, false}, {100_000, 20_001, true},
	} {
		c := spike.Count{Start: end.Add(-time.Minute), End: end, Attempts: test.attempts, Failures: test.failures}
		if got := spike.Default().Spiked(c); got != test.spiked {
			t.Errorf("%d of %d in a minute: %v", test.failures, test.attempts, got)
		}
	}
}

func TestAWindowForgetsWhatIsOlder(t *testing.T) {
	t.Parallel()
	var w spike.Window
	now := time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)
	for second := range 1200 { // twice around
		w.Add(now.Add(time.Duration(second)*time.Second), second%2 == 0)
	}
	c := w.Count(now.Add(1199*time.Second), time.Minute)
	if c.Attempts != 60 || c.Failures != 30 {
		t.Errorf("got %+v", c)
	}
	if c := w.Count(now.Add(time.Hour), time.Minute); c.Attempts != 0 {
		t.Errorf("an hour later: %+v", c)
	}
}
