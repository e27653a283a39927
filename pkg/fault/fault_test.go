package fault_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/naksha-cloud/naksha/pkg/fault"
)

func TestFaultSurvivesTheTripThroughGRPC(t *testing.T) {
	t.Parallel()
	sent := fault.Invalid("FIELD_INVALID", "The name %q is taken.", "shop").
		WithRemedy("Choose another.").WithRetryAfter(3*time.Second).WithField("name", "must be free").
		WithCause(errors.New("secret detail"))
	got := fault.From(status.ErrorProto(sent.Status("req-1").Proto()))
	if got.Code != sent.Code || got.Reason != sent.Reason || got.Message != sent.Message || got.Remedy != sent.Remedy ||
		got.RetryAfter != sent.RetryAfter || fmt.Sprint(got.Fields) != fmt.Sprint(sent.Fields) {
		t.Errorf("sent %+v, got %+v", sent, got)
	}
	if text := sent.GRPCStatus().Proto().String(); errors.Is(got, errors.New(text)) {
		t.Error("unrelated errors are equal")
	}
}

func TestUnknownErrorsBecomeInternalAndStayInside(t *testing.T) {
	t.Parallel()
	f := fault.From(fmt.Errorf("read row: %w", errors.New("password=hunter2")))
	if f.Code != codes.Internal || f.Message == "" || f.Remedy == "" {
		t.Errorf("got %+v", f)
	}
	if got := f.GRPCStatus().Message(); got != f.Message {
		t.Errorf("the status says %q", got)
	}
}

func TestContextErrorsKeepTheirMeaning(t *testing.T) {
	t.Parallel()
	for err, want := range map[error]codes.Code{
		context.DeadlineExceeded: codes.DeadlineExceeded, context.Canceled: codes.Canceled, nil: codes.OK,
	} {
		if got := fault.CodeOf(err); got != want {
			t.Errorf("%v is %s, not %s", err, got, want)
		}
	}
}

func TestFaultsMatchByCodeAndReason(t *testing.T) {
	t.Parallel()
	sentinel := fault.NotFound("WORKSPACE_UNKNOWN", "No such workspace.")
	if !errors.Is(fmt.Errorf("get: %w", fault.NotFound("WORKSPACE_UNKNOWN", "Other words.")), sentinel) {
		t.Error("same code and reason do not match")
	}
	if errors.Is(fault.NotFound("KEY_UNKNOWN", "No such key."), sentinel) {
		t.Error("another reason matches")
	}
}

func TestEveryCodeHasAnHTTPStatus(t *testing.T) {
	t.Parallel()
	for c := codes.OK; c <= codes.Unauthenticated; c++ {
		got := fault.HTTPStatus(c)
		if c == codes.OK && got != http.StatusOK || c != codes.OK && got < 400 {
			t.Errorf("%s is %d", c, got)
		}
	}
}

type sqlError string

func (e sqlError) Error() string    { return string(e) }
func (e sqlError) SQLState() string { return string(e) }

func TestADependencyThatIsAwayOrFullIsWorthAnotherTry(t *testing.T) {
	t.Parallel()
	for err, want := range map[error]codes.Code{
		&net.OpError{Op: "dial", Err: errors.New("connection refused")}: codes.Unavailable,
		io.ErrUnexpectedEOF: codes.Unavailable,
		sqlError("53100"):   codes.Unavailable, // disk full
		sqlError("57P01"):   codes.Unavailable, // shutting down
		sqlError("08006"):   codes.Unavailable,
		sqlError("42P01"):   codes.Internal, // no such table: the program is wrong
	} {
		f := fault.From(fmt.Errorf("store order: %w", err))
		if f.Code != want || f.Remedy == "" || strings.Contains(f.Message, err.Error()) {
			t.Errorf("%v became %v %q, remedy %q", err, f.Code, f.Message, f.Remedy)
		}
	}
}
