package loop_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/naksha-cloud/naksha/pkg/clock"
	"github.com/naksha-cloud/naksha/pkg/local/localtest"
	"github.com/naksha-cloud/naksha/services/alerting/internal/loop"
)

// start starts a loop of one worker that reports each pass.
func start(t *testing.T, c clock.Clock, work loop.Work) (*loop.Loop, <-chan struct{}) {
	t.Helper()
	passes := make(chan struct{}, 100)
	l := loop.New(loop.Config{
		Name: "test", Clock: c, Log: slog.New(slog.DiscardHandler), Workers: 1,
		Work: func(ctx context.Context) (bool, time.Time, error) {
			more, next, err := work(ctx)
			passes <- struct{}{}
			return more, next, err
		},
	})
	if err := l.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for range 2 {
			if err := l.Stop(context.Background()); err != nil {
				t.Error(err)
			}
		}
	})
	return l, passes
}

func wait(t *testing.T, passes <-chan struct{}) {
	t.Helper()
	select {
	case <-passes:
	case <-time.After(localtest.Patience):
		t.Fatal("no pass")
	}
}

// asleep waits until the loop waits for the clock.
func asleep(c *clock.Fake) {
	for {
		n, changed := c.Waiting()
		if n > 0 {
			return
		}
		<-changed
	}
}

func TestWorksUntilNothingIsLeftThenWhenItIsDue(t *testing.T) {
	t.Parallel()
	c := clock.NewFake(time.Unix(0, 0))
	left := 3
	_, passes := start(t, c, func(context.Context) (bool, time.Time, error) {
		left--
		return left > 0, c.Now().Add(300 * time.Millisecond), nil
	})
	for range 3 {
		wait(t, passes)
	}
	asleep(c)
	c.Advance(300 * time.Millisecond)
	wait(t, passes)
}

func TestLooksWhenKickedAfterAPollAndAfterAFailure(t *testing.T) {
	t.Parallel()
	c := clock.NewFake(time.Unix(0, 0))
	l, passes := start(t, c, func(context.Context) (bool, time.Time, error) { return true, time.Time{}, errors.New("down") })
	wait(t, passes)
	asleep(c)
	l.Kick()
	wait(t, passes)
	asleep(c)
	c.Advance(loop.Poll)
	wait(t, passes)
}

func TestStopWaitsForThePassInHand(t *testing.T) {
	t.Parallel()
	entered, leave := make(chan struct{}), make(chan struct{})
	l := loop.New(loop.Config{
		Name: "test", Clock: clock.System(), Log: slog.New(slog.DiscardHandler), Workers: 1,
		Work: func(context.Context) (bool, time.Time, error) {
			close(entered)
			<-leave
			return false, time.Time{}, nil
		},
	})
	if err := l.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	<-entered
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := l.Stop(ended); !errors.Is(err, context.Canceled) {
		t.Errorf("stopped before the pass ended: %v", err)
	}
	close(leave)
}
