package sim_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/naksha-cloud/naksha/pkg/sim"
)

var errOpen = errors.New("something is open")

// counter is a number in a store; each actor adds one to it, again and again, and remembers what was acknowledged.
type counter struct {
	value, acknowledged int
	attempted           int
}

// add adds one in two calls, read and write: wrong as soon as anybody else does the same, or a reply is lost.
func (c *counter) add(ctx context.Context, p *sim.Process) error {
	was, err := sim.Ask(ctx, p, "read", func() (int, error) { return c.value, nil })
	if err != nil {
		return err
	}
	return sim.Tell(ctx, p, "write", func() error { c.value = was + 1; return nil })
}

// addAtOnce adds one in one call.
func (c *counter) addAtOnce(ctx context.Context, p *sim.Process) error {
	return sim.Tell(ctx, p, "add", func() error { c.value++; return nil })
}

// adders are two actors that add until they are told to stop.
func adders(add func(c *counter, ctx context.Context, p *sim.Process) error) sim.Scenario {
	return func(w *sim.World) {
		c := &counter{}
		for _, name := range []string{"one", "two"} {
			w.Actor(name, func(p *sim.Process) {
				for p.Pause(10 * time.Millisecond) {
					_ = sim.Tell(p.Context(), p, "attempt", func() error { c.attempted++; return nil })
					if add(c, p.Context(), p) == nil {
						_ = sim.Tell(p.Context(), p, "acknowledge", func() error { c.acknowledged++; return nil })
					}
				}
			})
		}
		w.Always(func() error {
			if c.value < c.acknowledged {
				return fmt.Errorf("%d were acknowledged, the value is %d", c.acknowledged, c.value)
			}
			return nil
		})
		w.Storm(300)
		goal := c.acknowledged + 5
		w.Heal(func() error {
			if c.acknowledged < goal {
				return errOpen
			}
			return nil
		}, time.Minute)
	}
}

func TestFindsLostUpdate(t *testing.T) {
	t.Parallel()
	sim.Catch(t, adders((*counter).add))
}

func TestFindsNothingWhereNothingIs(t *testing.T) {
	t.Parallel()
	sim.Check(t, adders((*counter).addAtOnce))
}

func TestEqualSeedsMakeEqualRuns(t *testing.T) {
	t.Parallel()
	sim.Repeat(t, 20, adders((*counter).addAtOnce))
	seen := map[string]bool{}
	for seed := range uint64(20) {
		seen[sim.Run(t, seed, adders((*counter).addAtOnce)).History()] = true
	}
	if len(seen) != 20 {
		t.Errorf("20 seeds made %d different runs", len(seen))
	}
}

// TestEveryFaultOccurs wants each kind of mishap to happen to somebody within the seeds of a short test.
func TestEveryFaultOccurs(t *testing.T) {
	t.Parallel()
	want := []string{
		"[lost]", "[reply lost]", "[delayed]", "[arrives late]", "[twice]", "[caller dies before]", "[caller dies after]",
		"[caller dies, delayed]", "is killed", "is told to stop", "is frozen", "has its clock moved", "[deadline exceeded]",
		"starts", "time passes", "lightning",
	}
	var all strings.Builder
	for seed := range uint64(60) {
		o := sim.Run(t, seed, func(w *sim.World) {
			w.Actor("caller", func(p *sim.Process) {
				for p.Context().Err() == nil {
					ctx, cancel := context.WithTimeout(p.Context(), time.Second)
					_ = sim.Tell(ctx, p, "call", func() error { return nil }, sim.Repeatable)
					cancel()
				}
			})
			w.Event("lightning", func() {})
			w.Storm(300)
			w.Fail("show the history")
		})
		all.WriteString(o.History())
	}
	for _, what := range want {
		if !strings.Contains(all.String(), what) {
			t.Errorf("%q never occurs", what)
		}
	}
}

func TestKilledProcessNeverGoesOn(t *testing.T) {
	t.Parallel()
	sim.Check(t, func(w *sim.World) {
		var living, undead atomic.Int64
		w.Actor("mortal", func(p *sim.Process) {
			living.Store(int64(p.Life))
			for p.Pause(time.Millisecond) {
				_ = sim.Tell(p.Context(), p, "call", func() error { return nil })
				if int64(p.Life) < living.Load() {
					undead.Store(int64(p.Life))
				}
			}
		})
		w.Always(func() error {
			if undead.Load() > 0 {
				return fmt.Errorf("life %d goes on in life %d", undead.Load(), living.Load())
			}
			return nil
		})
		w.Storm(200)
	})
}

func TestWhatNeverEndsIsReported(t *testing.T) {
	t.Parallel()
	for name, s := range map[string]sim.Scenario{
		"not done 1m": func(w *sim.World) { w.Heal(func() error { return errOpen }, time.Minute) },
		"not done 0s and 10001 steps": func(w *sim.World) {
			w.Actor("worker", func(p *sim.Process) {
				for p.Context().Err() == nil {
					_ = sim.Tell(p.Context(), p, "call", func() error { return nil })
				}
			})
			w.Heal(func() error { return errOpen }, time.Minute)
		},
		"worker panics: broken": func(w *sim.World) {
			w.Actor("worker", func(*sim.Process) { panic("broken") })
			w.Storm(1)
		},
		"panic: effect": func(w *sim.World) {
			w.Actor("worker", func(p *sim.Process) {
				_ = sim.Tell(p.Context(), p, "call", func() error { panic("effect") })
			})
			w.Heal(func() error { return errOpen }, time.Minute)
		},
	} {
		if o := sim.Run(t, 1, s); !strings.HasPrefix(o.Broken, name) {
			t.Errorf("got %q, want %q", o.Broken, name)
		}
	}
}
