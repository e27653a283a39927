package delivery_test

import (
	"testing"
	"time"

	"github.com/naksha-cloud/naksha/services/alerting/internal/delivery"
)

var now = time.Date(2026, 11, 25, 10, 0, 0, 0, time.UTC)

func TestTriesAgainWithGrowingPauses(t *testing.T) {
	t.Parallel()
	want := []time.Duration{0, 5, 15, 45, 120, 300, 300}
	for tries, seconds := range want {
		if got := delivery.Backoff(tries); got != seconds*time.Second {
			t.Errorf("after %d tries %v, want %v", tries, got, seconds*time.Second)
		}
	}
	d := delivery.Delivery{Attempts: 2, Deadline: now.Add(time.Hour)}
	for wish, wait := range map[time.Duration]time.Duration{
		0: 15 * time.Second, time.Second: 15 * time.Second, time.Minute: time.Minute, 24 * time.Hour: 5 * time.Minute,
	} {
		v := d.Judge(delivery.Temporary, wish, now)
		if v.State != delivery.Pending || v.NotBefore.Sub(now) != wait {
			t.Errorf("wish %v: %+v", wish, v)
		}
	}
}

func TestJudgesEachOutcome(t *testing.T) {
	t.Parallel()
	d := delivery.Delivery{Attempts: 1, Deadline: now.Add(time.Second)}
	for outcome, want := range map[delivery.Outcome]delivery.Verdict{
		delivery.Taken:     {State: delivery.Accepted, Outcome: delivery.Taken},
		delivery.Permanent: {State: delivery.Failed, Outcome: delivery.Permanent},
		delivery.Unneeded:  {State: delivery.Canceled, Outcome: delivery.Unneeded},
		delivery.Temporary: {State: delivery.Failed, Outcome: delivery.Exhausted}, // the next try would be too late
	} {
		if got := d.Judge(outcome, 0, now); got != want {
			t.Errorf("%s: %+v, want %+v", outcome, got, want)
		}
	}
}
