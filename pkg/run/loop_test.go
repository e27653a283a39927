package run_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/naksha-cloud/naksha/pkg/clock"
	"github.com/naksha-cloud/naksha/pkg/run"
)

func TestLoopStepsAtOnceWhenWokenAndAfterAWhile(t *testing.T) {
	t.Parallel()
	hands, steps := clock.NewFake(time.Now()), make(chan struct{})
	l := run.Every(hands, time.Minute, func(context.Context) { steps <- struct{}{} })
	l.Wake() // it may be woken before its start
	begin(t, l)
	<-steps
	<-steps
	rested(hands)
	l.Wake()
	<-steps
	rested(hands)
	hands.Advance(time.Minute)
	<-steps
	end(t, l)
}

func TestLoopRunsOnceAndStopsTwiceAndStartsAgain(t *testing.T) {
	t.Parallel()
	runs := make(chan struct{}, 3)
	l := run.NewLoop(func(ctx context.Context) {
		runs <- struct{}{}
		<-ctx.Done()
	})
	end(t, l) // before its start
	for range 2 {
		begin(t, l)
		begin(t, l)
		<-runs
		end(t, l)
		end(t, l)
	}
	if len(runs) > 0 {
		t.Error("it ran more than once")
	}
}

func TestLoopThatOutlivesItsStopIsWaitedForByTheNextStart(t *testing.T) {
	t.Parallel()
	entered, letGo := make(chan struct{}, 2), make(chan struct{})
	l := run.NewLoop(func(context.Context) {
		entered <- struct{}{}
		<-letGo
	})
	begin(t, l)
	<-entered
	tired := errors.New("tired")
	over, cancel := context.WithCancelCause(t.Context())
	cancel(tired)
	if err := l.Stop(over); !errors.Is(err, tired) {
		t.Errorf("an impatient stop says %v", err)
	}
	if err := l.Start(over); !errors.Is(err, tired) || len(entered) > 0 {
		t.Errorf("started beside the run before: %v", err)
	}
	close(letGo)
	begin(t, l)
	<-entered
	end(t, l)
}

func begin(t *testing.T, l *run.Loop) {
	t.Helper()
	if err := l.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func end(t *testing.T, l *run.Loop) {
	t.Helper()
	if err := l.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// rested waits until the loop rests.
func rested(hands *clock.Fake) {
	for n, changed := hands.Waiting(); n == 0; n, changed = hands.Waiting() {
		<-changed
	}
}
