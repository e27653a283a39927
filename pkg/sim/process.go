package sim

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/naksha-cloud/naksha/pkg/clock"
)

// ErrLost is what a caller hears when its call or the reply to it was lost: whether the effect is there is unknown.
var ErrLost = errors.New("no answer: the connection was lost")

// actor is something that runs, dies and is started again. Its skew belongs to its machine, and outlives it.
type actor struct {
	name   string
	number int // in the order in which they were added
	run    func(*Process)
	life   *Process
	frozen time.Time    // it gets no answer before that
	skew   atomic.Int64 // nanoseconds that its clock is ahead
}

// Process is one life of an actor.
type Process struct {
	*actor
	Life   int // no two lives in a world have the same number
	world  *World
	ctx    context.Context
	cancel context.CancelFunc
	dead   atomic.Bool // killed: it gets no answer any more
	ended  atomic.Bool // its main function has returned
	panics atomic.Pointer[string]

	mu   sync.Mutex
	rand *rand.Rand
}

// Context ends when the process is told to stop, and when it is killed.
func (p *Process) Context() context.Context { return p.ctx }

// Name is the actor's.
func (p *Process) Name() string { return p.name }

// Float64 is the process's own chance, in [0, 1).
func (p *Process) Float64() float64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.rand.Float64()
}

// Clock is the clock of the process's machine, which may be wrong by up to World.Skew.
func (p *Process) Clock() clock.Clock { return skewed{p} }

// Pause waits on the machine's clock; false when the process is to stop.
func (p *Process) Pause(d time.Duration) bool {
	if d <= 0 || p.ctx.Err() != nil { // a select between two that are ready would be chance that no seed repeats
		return p.ctx.Err() == nil
	}
	return clock.Sleep(p.ctx, p.Clock(), d) == nil
}

type skewed struct{ p *Process }

func (s skewed) Now() time.Time {
	return clock.System().Now().Add(time.Duration(s.p.skew.Load()))
}

func (s skewed) NewTimer(d time.Duration) clock.Timer { return clock.System().NewTimer(d) }

// Trait says what the way to a call's other end may do to it.
type Trait int

// The traits.
const (
	Repeatable Trait = iota + 1 // a layer in between may send it twice, e.g. an idempotent RPC
	Prompt                      // it has its effect while its caller waits, or never: it may share memory with the caller
)

// call waits for the world's decision.
type call struct {
	by      *Process
	ctx     context.Context
	name    string
	traits  []Trait
	effect  func() (any, error)
	answer  chan answer
	expires time.Time // of a late one: by then it has had its effect
}

type answer struct {
	value any
	err   error
	dead  bool
}

// Ask is how a process touches anything outside of it: the world decides when effect happens, whether, and what the
// process hears of it. Effects happen one at a time, so fakes need no locks. An effect may also happen after the caller has
// given up: unless it is Prompt, it must not share memory with the caller other than by its result. In a killed process Ask never returns.
func Ask[T any](ctx context.Context, p *Process, name string, effect func() (T, error), traits ...Trait) (T, error) {
	c := &call{
		by: p, ctx: ctx, name: name, traits: traits, answer: make(chan answer, 1),
		effect: func() (any, error) { return effect() },
	}
	if p.dead.Load() {
		runtime.Goexit()
	}
	p.world.submit(c)
	a := <-c.answer
	if a.dead {
		runtime.Goexit()
	}
	value, _ := a.value.(T)
	return value, a.err
}

// Tell is Ask where only success matters.
func Tell(ctx context.Context, p *Process, name string, effect func() error, traits ...Trait) error {
	_, err := Ask(ctx, p, name, func() (struct{}, error) { return struct{}{}, effect() }, traits...)
	return err
}

// start begins a new life of an actor.
func (w *World) start(a *actor) {
	w.lives++
	p := &Process{actor: a, world: w, Life: w.lives, rand: rand.New(rand.NewPCG(w.Rand.Uint64(), 0))}
	p.ctx, p.cancel = context.WithCancel(context.Background())
	a.life = p
	go func() {
		defer p.ended.Store(true)
		defer func() {
			if cause := recover(); cause != nil {
				text := fmt.Sprintf("%s panics: %v\n%s", a.name, cause, debug.Stack())
				p.panics.Store(&text)
			}
		}()
		a.run(p)
	}()
}

// down says that nothing of the process runs any more.
func (p *Process) down() bool { return p.ended.Load() }
