package clock_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/naksha-cloud/naksha/pkg/clock"
)

var start = time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)

func TestFakeFiresWhatIsDueAndNothingElse(t *testing.T) {
	t.Parallel()
	fake := clock.NewFake(start)
	early, late := fake.NewTimer(time.Second), fake.NewTimer(time.Minute)
	fake.Advance(2 * time.Second)
	select {
	case at := <-early.C():
		if !at.Equal(start.Add(2 * time.Second)) {
			t.Errorf("fired at %s", at)
		}
	default:
		t.Error("the due timer did not fire")
	}
	select {
	case <-late.C():
		t.Error("a timer fired early")
	default:
	}
	if !late.Stop() || late.Stop() || early.Stop() {
		t.Error("Stop misreports")
	}
}

func TestSleepWaitsForTheClockOrTheContext(t *testing.T) {
	t.Parallel()
	fake := clock.NewFake(start)
	done := make(chan error, 1)
	go func() { done <- clock.Sleep(t.Context(), fake, time.Hour) }()
	for {
		n, changed := fake.Waiting()
		if n == 1 {
			break
		}
		<-changed
	}
	fake.Advance(time.Hour)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	stop := errors.New("stop")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(stop)
	if err := clock.Sleep(ctx, fake, time.Hour); !errors.Is(err, stop) {
		t.Errorf("got %v", err)
	}
	if n, _ := fake.Waiting(); n != 0 {
		t.Errorf("%d timers are left", n)
	}
}

func TestSystemClockIsUTC(t *testing.T) {
	t.Parallel()
	if now := clock.System().Now(); now.Location() != time.UTC || now.Before(start) {
		t.Errorf("now is %s", now)
	}
	timer := clock.System().NewTimer(0)
	<-timer.C()
}
