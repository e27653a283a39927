package rpc_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/naksha-cloud/naksha/pkg/caller"
	"github.com/naksha-cloud/naksha/pkg/fault"
)

func TestUnknownErrorsAndPanicsStayInside(t *testing.T) {
	t.Parallel()
	secret := errors.New(`dial postgres://u:hunter2@db: SELECT * FROM secrets`)
	for name, test := range map[string]struct {
		fail func() error
		code codes.Code
		log  string
	}{
		"unknown error":  {func() error { return fmt.Errorf("query: %w", secret) }, codes.Internal, "SELECT"},
		"panic":          {func() error { panic(secret.Error()) }, codes.Internal, "status_test.go"},
		"raw status":     {func() error { return status.Error(codes.Unknown, secret.Error()) }, codes.Internal, "SELECT"},
		"foreign status": {func() error { return status.Error(codes.Unavailable, secret.Error()) }, codes.Unavailable, "SELECT"},
		"deadline":       {func() error { return fmt.Errorf("%w: %w", context.DeadlineExceeded, secret) }, codes.DeadlineExceeded, "SELECT"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := serve(t, func(context.Context, thing, thing) error { return test.fail() })
			ctx := caller.WithRequestID(t.Context(), "req-42")
			_, err := f.call(ctx, f.as(t, "backup"), "AskThing")
			if status.Code(err) != test.code || strings.Contains(err.Error(), "SELECT") || strings.Contains(err.Error(), "postgres") {
				t.Errorf("error = %v, want %v and nothing from inside", err, test.code)
			}
			if test.code == codes.Internal && !strings.Contains(err.Error(), "internal error, request id req-42") {
				t.Errorf("error = %v, want the request id", err)
			}
			log := f.log.String()
			if !strings.Contains(log, test.log) || !strings.Contains(log, "request_id=req-42") || strings.Contains(log, "hunter2") {
				t.Errorf("log = %s, want %q in it", log, test.log)
			}
		})
	}
}

func TestFaultReachesTheCallerWhole(t *testing.T) {
	t.Parallel()
	sent := fault.Exhausted("QUOTA", "Too many things.").WithRemedy("Delete some.").WithRetryAfter(time.Minute).
		WithField("name", "why").WithCause(errors.New("inside"))
	f := serve(t, func(context.Context, thing, thing) error { return fmt.Errorf("make: %w", sent) })
	_, err := f.call(t.Context(), f.as(t, "backup"), "AskThing")
	got := fault.From(err)
	if got.Code != codes.ResourceExhausted || got.Reason != "QUOTA" || got.Message != sent.Message || got.Remedy != sent.Remedy ||
		got.RetryAfter != time.Minute || len(got.Fields) != 1 || strings.Contains(err.Error(), "inside") {
		t.Errorf("fault = %+v", got)
	}
	if log := f.log.String(); strings.Count(log, "reason=QUOTA") != 1 || !strings.Contains(log, "inside") {
		t.Errorf("log = %s, want one line with the cause", log)
	}
}

func TestInvalidRequestNamesItsFields(t *testing.T) {
	t.Parallel()
	f := serve(t, echoCaller)
	out := newThing(f.files, "")
	err := f.as(t, "backup").Invoke(t.Context(), method("AskThing"), newThing(f.files, strings.Repeat("x", 41)).Message, out.Message)
	wantCode(t, err, codes.InvalidArgument, "FIELD_INVALID")
	if fields := fault.From(err).Fields; len(fields) != 1 || fields[0].Path != "name" || fields[0].Why == "" {
		t.Errorf("fields = %+v", fields)
	}
}
