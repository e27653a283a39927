package bus

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"
)

// Delivery is a Message as it arrived.
type Delivery struct {
	Message
	Attempt  uint64 // 1 = first delivery
	Sequence uint64 // place in the stream
}

// Handler handles deliveries together, in order, and returns a verdict for each. nil acknowledges it; Retry asks for it
// again later; Reject ends it; any other error asks for it again with growing delay.
type Handler func(ctx context.Context, batch []Delivery) []error

// Each makes a Handler of f, which takes one delivery at a time.
func Each(f func(ctx context.Context, d Delivery) error) Handler {
	return func(ctx context.Context, batch []Delivery) []error {
		verdicts := make([]error, len(batch))
		for i, d := range batch {
			if verdicts[i] = context.Cause(ctx); verdicts[i] == nil {
				verdicts[i] = bounded(ctx, d, f)
			}
		}
		return verdicts
	}
}

// bounded gives f as long as a delivery may take, and makes its panic an error.
func bounded(ctx context.Context, d Delivery, f func(context.Context, Delivery) error) error {
	ctx, cancel := context.WithTimeout(ctx, HandleTime)
	defer cancel()
	return Safely(func() error { return f(ctx, d) })
}

// Safely makes a panic of f an error: one fact that breaks its handler must not end the process again and again.
func Safely(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("handler panicked: %v\n%s", p, debug.Stack())
		}
	}()
	return f()
}

// verdict is a handler's instruction to the bus.
type verdict struct {
	err    error
	after  time.Duration
	reject bool
}

func (v *verdict) Error() string { return v.err.Error() }
func (v *verdict) Unwrap() error { return v.err }

// Retry asks for the message again after a delay.
func Retry(after time.Duration, err error) error { return &verdict{err: err, after: after} }

// Reject says that the message can never be handled: it becomes a dead letter.
func Reject(err error) error { return &verdict{err: err, reject: true} }

// Rejected says whether err is, or wraps, a Reject.
func Rejected(err error) bool {
	var v *verdict
	return errors.As(err, &v) && v.reject
}

// Delay is how long to wait before the next try of what failed with err: as asked for, or doubling from 200 ms to 30 s.
func Delay(err error, attempt uint64) time.Duration {
	var v *verdict
	if errors.As(err, &v) && v.after > 0 {
		return v.after
	}
	return min(100*time.Millisecond<<min(attempt, 12), 30*time.Second)
}
