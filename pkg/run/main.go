package run

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"
)

// StopWait bounds the orderly stop of a whole process.
const StopWait = 30 * time.Second

// Main starts the components in order, waits until ctx ends (a signal) or a component ends by itself, and stops all of
// them in reverse within StopWait. It returns nil after an orderly stop that was asked for.
func Main(ctx context.Context, log *slog.Logger, components ...Component) error {
	group := NewGroup(components...)
	if err := group.Start(ctx); err != nil {
		return err
	}
	log.InfoContext(ctx, "started")
	ended := waitEnd(ctx, components)
	log.InfoContext(ctx, "stopping", "cause", causeOf(ctx, ended))
	stopCtx, cancel := context.WithTimeout(context.WithoutCancel(ctx), StopWait)
	defer cancel()
	return errors.Join(ended, group.Stop(stopCtx))
}

// waitEnd returns nil when ctx ended, else the error of the component that ended first.
func waitEnd(ctx context.Context, components []Component) error {
	watch, cancel := context.WithCancel(ctx)
	defer cancel()
	first := make(chan error, len(components))
	for _, c := range components {
		if e, ok := enderOf(c); ok {
			go watchEnd(watch, nameOf(c), e, first)
		}
	}
	select {
	case <-ctx.Done():
		return nil
	case err := <-first:
		return err
	}
}

func watchEnd(ctx context.Context, name string, e Ender, first chan<- error) {
	select {
	case <-ctx.Done():
	case <-e.Done():
		first <- endError(name, e.Err())
	}
}

func endError(name string, err error) error {
	if err == nil {
		return fmt.Errorf("%s ended by itself", name)
	}
	return fmt.Errorf("%s ended: %w", name, err)
}

func causeOf(ctx context.Context, ended error) error {
	if ended != nil {
		return ended
	}
	return context.Cause(ctx)
}
