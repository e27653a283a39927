package rpc_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc/codes"

	"github.com/naksha-cloud/naksha/pkg/caller"
	"github.com/naksha-cloud/naksha/pkg/fault"
)

func TestEveryUnaryCallHasADeadline(t *testing.T) {
	t.Parallel()
	var left atomic.Int64
	f := serve(t, func(ctx context.Context, _, _ thing) error {
		if at, ok := ctx.Deadline(); ok {
			left.Store(int64(time.Until(at)))
		}
		return nil
	})
	if _, err := f.call(t.Context(), f.as(t, "backup"), "AskThing"); err != nil {
		t.Fatal(err)
	}
	if d := time.Duration(left.Load()); d <= 0 || d > 10*time.Second {
		t.Errorf("deadline in %v, want the client's 10 s", d)
	}
}

func TestIdempotentMethodsAreTriedAgain(t *testing.T) {
	t.Parallel()
	var calls atomic.Int64
	f := serve(t, func(context.Context, thing, thing) error {
		if calls.Add(1) < 3 {
			return fault.Unavailable("BUSY", "Try again.")
		}
		return nil
	})
	conn, ctx := f.as(t, "gateway"), caller.With(t.Context(), caller.Caller{Kind: caller.Admin})
	if _, err := f.call(ctx, conn, "GetThing"); err != nil || calls.Load() != 3 {
		t.Errorf("error %v after %d calls, want success in the third", err, calls.Load())
	}
	calls.Store(0)
	_, err := f.call(ctx, conn, "MakeThing")
	wantCode(t, err, codes.Unavailable, "BUSY")
	if calls.Load() != 1 {
		t.Errorf("a method that is not idempotent was called %d times", calls.Load())
	}
}
