package worker_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/naksha-cloud/naksha/pkg/clock"
	"github.com/naksha-cloud/naksha/services/tenant/internal/worker"
)

func TestActsAtStartWhenWokenAndAfterAWhile(t *testing.T) {
	t.Parallel()
	now, acts := clock.NewFake(time.Now()), make(chan struct{})
	w := worker.New("test", time.Minute, now, slog.New(slog.DiscardHandler), func(context.Context) error {
		acts <- struct{}{}
		return nil
	})
	w.Wake() // it may be woken before its start
	start(t, w)
	<-acts
	<-acts
	rested(now)
	w.Wake()
	<-acts
	rested(now)
	now.Advance(time.Minute)
	<-acts
}

func TestRestsAfterAFailureAndRecovers(t *testing.T) {
	t.Parallel()
	now, acts := clock.NewFake(time.Now()), make(chan error)
	w := worker.New("test", time.Hour, now, slog.New(slog.DiscardHandler), func(context.Context) error { return <-acts })
	start(t, w)
	for _, pause := range []time.Duration{200 * time.Millisecond, 400 * time.Millisecond, 800 * time.Millisecond} {
		acts <- errors.New("down")
		rested(now)
		now.Advance(200 * time.Millisecond) // the moment that nobody can shorten
		rested(now)
		now.Advance(pause)
	}
	acts <- errors.New("down")
	rested(now)
	w.Wake()
	now.Advance(200 * time.Millisecond)
	acts <- nil // woken before its pause was over
	rested(now)
}

// start starts w; it stops twice with the test.
func start(t *testing.T, w *worker.Worker) {
	t.Helper()
	for range 2 {
		if err := w.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() {
		for range 2 {
			if err := w.Stop(context.Background()); err != nil {
				t.Error(err)
			}
		}
	})
}

// rested waits until the worker waits for the clock.
func rested(now *clock.Fake) {
	for {
		pending, changed := now.Waiting()
		if pending > 0 {
			return
		}
		<-changed
	}
}
