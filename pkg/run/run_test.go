package run_test

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/naksha-cloud/naksha/pkg/run"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// story records what happens to its steps.
type story struct{ events []string }

func (s *story) step(name string, startErr, stopErr error) run.Component {
	note := func(what string, err error) func(context.Context) error {
		return func(context.Context) error {
			s.events = append(s.events, what+" "+name)
			return err
		}
	}
	return run.Named(name, run.Func(note("start", startErr), note("stop", stopErr)))
}

func (s *story) want(t *testing.T, events ...string) {
	t.Helper()
	if !slices.Equal(s.events, events) {
		t.Errorf("events = %q, want %q", s.events, events)
	}
}

func TestGroupStartsInOrderAndStopsInReverse(t *testing.T) {
	t.Parallel()
	var s story
	g := run.NewGroup(s.step("a", nil, nil))
	g.Add(s.step("b", nil, nil))
	for range 2 { // a second start or stop changes nothing
		if err := g.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		if err := g.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	s.want(t, "start a", "start b", "stop b", "stop a")
}

func TestFailedStartStopsWhatRunsAndNamesTheStep(t *testing.T) {
	t.Parallel()
	var s story
	broken := errors.New("no disk")
	g := run.NewGroup(s.step("a", nil, nil), s.step("b", nil, errors.New("stuck")), s.step("c", broken, nil), s.step("d", nil, nil))
	err := g.Start(t.Context())
	if !errors.Is(err, broken) || !strings.Contains(err.Error(), "start c: no disk") || !strings.Contains(err.Error(), "stop b: stuck") {
		t.Errorf("error = %v, want it to name c and b", err)
	}
	s.want(t, "start a", "start b", "start c", "stop b", "stop a")
	if err := g.Stop(t.Context()); err != nil {
		t.Errorf("stop after failed start: %v", err)
	}
}

func TestStopJoinsErrorsAndStopsTheRest(t *testing.T) {
	t.Parallel()
	var s story
	g := run.NewGroup(s.step("a", nil, errors.New("one")), s.step("b", nil, errors.New("two")))
	if err := g.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	err := g.Stop(t.Context())
	if err == nil || err.Error() != "stop b: two\nstop a: one" {
		t.Errorf("error = %v", err)
	}
}

func TestCancelledStartStartsNothing(t *testing.T) {
	t.Parallel()
	var s story
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := run.NewGroup(s.step("a", nil, nil)).Start(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("error = %v, want canceled", err)
	}
	s.want(t)
}

func TestMainStopsOnSignalWithALiveContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	var stopErr error
	c := run.Func(func(context.Context) error { cancel(); return nil },
		func(ctx context.Context) error { stopErr = ctx.Err(); return nil })
	if err := run.Main(ctx, slog.New(slog.DiscardHandler), c); err != nil {
		t.Errorf("error = %v, want nil after a signal", err)
	}
	if stopErr != nil {
		t.Errorf("stop got an ended context: %v", stopErr)
	}
}

// mortal ends by itself as soon as it runs.
type mortal struct {
	run.Component
	done chan struct{}
	err  error
}

func (m mortal) Done() <-chan struct{} { return m.done }
func (m mortal) Err() error            { return m.err }

func TestMainStopsWhenAComponentEnds(t *testing.T) {
	t.Parallel()
	for name, cause := range map[string]error{"with error": errors.New("port lost"), "without error": nil} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var s story
			done := make(chan struct{})
			close(done)
			m := mortal{Component: s.step("inner", nil, nil), done: done, err: cause}
			err := run.Main(t.Context(), slog.New(slog.DiscardHandler), s.step("a", nil, nil), run.Named("server", m))
			if err == nil || !strings.Contains(err.Error(), "server ended") || cause != nil && !errors.Is(err, cause) {
				t.Errorf("error = %v, want it to name the server", err)
			}
			s.want(t, "start a", "start inner", "stop inner", "stop a")
		})
	}
}
