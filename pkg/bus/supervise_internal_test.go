package bus

import (
	"testing"
	"time"
)

func TestSupervisionKnowsAFaultFromARest(t *testing.T) {
	t.Parallel()
	made := time.Now()
	rest := sight{created: made, last: 100, delivered: 100, handled: 100}
	for name, c := range map[string]struct {
		before, now sight
		late        bool
		want        Reason
	}{
		"the first look at a new stream":     {now: sight{created: made}},
		"a quiet stream":                     {before: rest, now: rest, late: true},
		"a stream that goes on":              {before: rest, now: sight{created: made, last: 200, delivered: 150, pending: 50, handled: 140}},
		"messages that have just come":       {before: rest, now: sight{created: made, last: 200, delivered: 100, pending: 100}},
		"messages that wait for a minute":    {before: rest, now: sight{created: made, last: 200, delivered: 100, pending: 100}, late: true, want: Stalled},
		"a last sequence that decreased":     {before: rest, now: sight{created: made, last: 99}, want: StreamWentBack},
		"a place beyond the end":             {now: sight{created: made, last: 50, delivered: 60}, want: StreamWentBack},
		"a message that is not there":        {now: sight{created: made, last: 50, handled: 60}, want: StreamWentBack},
		"another stream with the same name":  {before: rest, now: sight{created: made.Add(1), last: 500}, want: StreamReplaced},
		"a stream that was made in meantime": {before: sight{}, now: rest},
	} {
		if got := judge(c.before, c.now, c.late); got != c.want {
			t.Errorf("%s: %q, not %q", name, got, c.want)
		}
	}
}
