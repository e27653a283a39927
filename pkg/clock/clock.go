// Package clock is where time comes from. System is the machine's clock in UTC; Fake moves only by hand, so that tests
// wait for nothing. It owns no schedule: timers that must survive a crash are rows.
package clock

import (
	"context"
	"time"
)

// Clock tells the time and waits for it.
type Clock interface {
	// Now is the current time in UTC.
	Now() time.Time
	// NewTimer fires once, d from now; d ≤ 0 fires at once.
	NewTimer(d time.Duration) Timer
}

// Timer is one pending wake-up.
type Timer interface {
	// C receives the time at which the timer fired.
	C() <-chan time.Time
	// Stop cancels the timer; false when it had fired or was stopped before.
	Stop() bool
}

// Sleep waits for d, or until ctx ends, whose cause it then returns.
func Sleep(ctx context.Context, c Clock, d time.Duration) error {
	t := c.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C():
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// System returns the machine's clock.
func System() Clock { return system{} }

type system struct{}

func (system) Now() time.Time                 { return time.Now().UTC() }
func (system) NewTimer(d time.Duration) Timer { return systemTimer{time.NewTimer(d)} }

type systemTimer struct{ *time.Timer }

func (t systemTimer) C() <-chan time.Time { return t.Timer.C }
