package up

import (
	"errors"
	"testing"
	"time"
)

func TestATroubleIsToldUntilItsEndIsTaken(t *testing.T) {
	t.Parallel()
	var ts troubles
	ts.clear()
	start := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	at := func(seconds int) time.Time { return start.Add(time.Duration(seconds) * time.Second) }
	full, gone := errors.New("disk full"), errors.New("gone")
	for i, step := range []struct {
		why  error
		want change
	}{{nil, troubleSame}, {full, troubleBegan}, {full, troubleSame}, {gone, troubleChanged}, {nil, troubleEnded}, {nil, troubleSame}} {
		if got := ts.note("NATS", step.why, at(i)); got != step.want {
			t.Errorf("step %d: got %v, want %v", i, got, step.want)
		}
		if lasts := ts.err() != nil; lasts != (step.why != nil) {
			t.Errorf("step %d: %v", i, ts.err())
		}
	}
	// It ended before alerting was there: told as lasting first, then as ended, then forgotten.
	for _, wantEnd := range []time.Time{at(100).Add(alertLife), at(4)} {
		known := ts.all()
		if len(known) != 1 || !alertOf(known[0], at(100)).EndsAt.Equal(wantEnd) || !alertOf(known[0], at(100)).StartsAt.Equal(at(1)) {
			t.Fatalf("told %+v, want end %v", known, wantEnd)
		}
		ts.tell(known, at(100))
	}
	if known := ts.all(); len(known) != 0 {
		t.Errorf("still known: %+v", known)
	}
}

func TestANewTroubleIsNotForgottenWithTheOldOne(t *testing.T) {
	t.Parallel()
	var ts troubles
	ts.clear()
	start := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	ts.note("NATS", errors.New("frozen"), start)
	ts.tell(ts.all(), start)
	ts.note("NATS", nil, start.Add(time.Second))
	posted := ts.all()
	ts.note("NATS", errors.New("frozen again"), start.Add(2*time.Second))
	ts.tell(posted, start.Add(3*time.Second))
	if known := ts.all(); len(known) != 1 || !known[0].ended.IsZero() || !known[0].told.IsZero() {
		t.Errorf("got %+v", known)
	}
}
