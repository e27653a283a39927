// Package run starts the parts of a process in order and stops them in reverse, each step named, so that an error says
// which part failed. It owns the order and nothing else: no signals, no exit codes, no logging below Main.
package run

import (
	"context"
	"errors"
	"fmt"
	"sync"
)

// Component is a part of a process with a life of its own.
type Component interface {
	// Start returns once the part works. After an error the part holds nothing: the group does not stop it.
	Start(ctx context.Context) error
	// Stop returns once the part has ended or ctx has. It may be called twice, and before Start.
	Stop(ctx context.Context) error
}

// Ender is a Component that can end by itself. Main stops the process when Done closes.
type Ender interface {
	// Done closes when the part has ended, for whatever reason.
	Done() <-chan struct{}
	// Err says why the part ended; nil when it was stopped.
	Err() error
}

// Named gives c the name that errors and logs use.
func Named(name string, c Component) Component { return named{name: name, Component: c} }

type named struct {
	Component
	name string
}

// Func is a Component made of two functions; either may be nil.
func Func(start, stop func(ctx context.Context) error) Component { return funcs{start, stop} }

type funcs struct {
	start, stop func(ctx context.Context) error
}

func (f funcs) Start(ctx context.Context) error { return callIfSet(ctx, f.start) }
func (f funcs) Stop(ctx context.Context) error  { return callIfSet(ctx, f.stop) }

func callIfSet(ctx context.Context, f func(ctx context.Context) error) error {
	if f == nil {
		return nil
	}
	return f(ctx)
}

// Group is a Component of components. The zero Group is empty and ready.
type Group struct {
	mu      sync.Mutex
	steps   []Component
	started int // steps[:started] run
}

// NewGroup returns a Group of steps, in starting order.
func NewGroup(steps ...Component) *Group { return &Group{steps: steps} }

// Add appends steps; it has no effect on a group that runs until that is started again.
func (g *Group) Add(steps ...Component) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.steps = append(g.steps, steps...)
}

// Start starts the steps in order. When one fails, those already started are stopped in reverse, and the error names the
// step. A group that runs already is left alone.
func (g *Group) Start(ctx context.Context) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.started > 0 {
		return nil
	}
	for _, step := range g.steps {
		err := ctx.Err()
		if err == nil {
			err = step.Start(ctx)
		}
		if err != nil {
			err = fmt.Errorf("start %s: %w", nameOf(step), err)
			stopCtx, cancel := context.WithTimeout(context.WithoutCancel(ctx), StopWait)
			defer cancel()
			return errors.Join(err, g.stop(stopCtx))
		}
		g.started++
	}
	return nil
}

// Stop stops the started steps in reverse and joins their errors, each with its name. A second Stop does nothing.
func (g *Group) Stop(ctx context.Context) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.stop(ctx)
}

func (g *Group) stop(ctx context.Context) error {
	var errs []error
	for ; g.started > 0; g.started-- {
		step := g.steps[g.started-1]
		if err := step.Stop(ctx); err != nil {
			errs = append(errs, fmt.Errorf("stop %s: %w", nameOf(step), err))
		}
	}
	return errors.Join(errs...)
}

// nameOf is the given name of c, or its type.
func nameOf(c Component) string {
	if n, ok := c.(named); ok {
		return n.name
	}
	return fmt.Sprintf("%T", c)
}

// enderOf finds the Ender in c or in what Named wrapped.
func enderOf(c Component) (Ender, bool) {
	if n, ok := c.(named); ok {
		return enderOf(n.Component)
	}
	e, ok := c.(Ender)
	return e, ok
}
