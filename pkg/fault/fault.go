// Package fault is the platform's one error type for callers: a code, a stable reason, a message and a remedy for people
// outside, and a cause that stays inside. It converts to and from gRPC status and HTTP, and refuses to leak: whatever is
// not a Fault becomes Internal with a fixed message.
package fault

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"
)

// Domain is the ErrorInfo domain of every fault.
const Domain = "naksha.cloud"

// Field names one invalid request field.
type Field struct {
	Path string // protobuf field path, e.g. "workspace.display_name"
	Why  string // what is wrong and what is accepted
}

// Fault is an error that a caller can act on.
type Fault struct {
	Code       codes.Code    // gRPC code; HTTP follows from it
	Reason     string        // UPPER_SNAKE, stable: the machine's key
	Message    string        // one sentence for people outside; no secret, no query
	Remedy     string        // what to do next; may be empty
	RetryAfter time.Duration // when to try again; 0 = unknown
	Fields     []Field       // invalid fields, for InvalidArgument
	cause      error
}

// New makes a Fault; args format the message.
func New(code codes.Code, reason, message string, args ...any) *Fault {
	if len(args) > 0 {
		message = fmt.Sprintf(message, args...)
	}
	return &Fault{Code: code, Reason: reason, Message: message}
}

// Invalid says that the request itself is wrong (InvalidArgument).
func Invalid(reason, message string, args ...any) *Fault {
	return New(codes.InvalidArgument, reason, message, args...)
}

// NotFound says that the named resource does not exist, or that the caller may not know.
func NotFound(reason, message string, args ...any) *Fault {
	return New(codes.NotFound, reason, message, args...)
}

// Exists says that the resource is there already (AlreadyExists).
func Exists(reason, message string, args ...any) *Fault {
	return New(codes.AlreadyExists, reason, message, args...)
}

// Precondition says that the resource's state forbids this now (FailedPrecondition).
func Precondition(reason, message string, args ...any) *Fault {
	return New(codes.FailedPrecondition, reason, message, args...)
}

// Denied says that the caller lacks the permission (PermissionDenied).
func Denied(reason, message string, args ...any) *Fault {
	return New(codes.PermissionDenied, reason, message, args...)
}

// Unauthenticated says that the caller did not prove who it is.
func Unauthenticated(reason, message string, args ...any) *Fault {
	return New(codes.Unauthenticated, reason, message, args...)
}

// Unavailable says that a part is missing at the moment; trying again helps.
func Unavailable(reason, message string, args ...any) *Fault {
	return New(codes.Unavailable, reason, message, args...)
}

// Exhausted says that a quota or rate limit is used up (ResourceExhausted).
func Exhausted(reason, message string, args ...any) *Fault {
	return New(codes.ResourceExhausted, reason, message, args...)
}

// Internal wraps a cause that nobody outside can act on.
func Internal(cause error) *Fault {
	return New(codes.Internal, "INTERNAL", "An internal error occurred.").
		WithRemedy("Try again; if it stays, report the request id.").WithCause(cause)
}

// WithRemedy returns a copy that says what to do next.
func (f Fault) WithRemedy(remedy string, args ...any) *Fault {
	if len(args) > 0 {
		remedy = fmt.Sprintf(remedy, args...)
	}
	f.Remedy = remedy
	return &f
}

// WithCause returns a copy that carries err for logs; it is never shown outside.
func (f Fault) WithCause(err error) *Fault {
	f.cause = err
	return &f
}

// WithRetryAfter returns a copy that says when to try again.
func (f Fault) WithRetryAfter(d time.Duration) *Fault {
	f.RetryAfter = d
	return &f
}

// WithField returns a copy with one more invalid field.
func (f Fault) WithField(path, why string) *Fault {
	f.Fields = append(append([]Field(nil), f.Fields...), Field{Path: path, Why: why})
	return &f
}

// Error is for logs: the reason, the message and the cause.
func (f *Fault) Error() string {
	if f.cause == nil {
		return f.Reason + ": " + f.Message
	}
	return f.Reason + ": " + f.Message + ": " + f.cause.Error()
}

// Unwrap returns the cause.
func (f *Fault) Unwrap() error { return f.cause }

// Is matches faults by code and reason, so that a sentinel Fault works with errors.Is.
func (f *Fault) Is(target error) bool {
	var other *Fault
	return errors.As(target, &other) && other.Code == f.Code && other.Reason == f.Reason
}

// From finds the Fault in err's chain, reads one out of a gRPC status, maps context errors and those of connections and of
// a database that is away or full, and otherwise returns Internal. From(nil) is nil.
func From(err error) *Fault {
	var f *Fault
	switch {
	case err == nil:
		return nil
	case errors.As(err, &f):
		return f
	case errors.Is(err, context.DeadlineExceeded):
		return New(codes.DeadlineExceeded, "DEADLINE_EXCEEDED", "The call took longer than its deadline.").
			WithRemedy("Try again, or allow more time.").WithCause(err)
	case errors.Is(err, context.Canceled):
		return New(codes.Canceled, "CANCELED", "The caller gave up.").WithCause(err)
	}
	var graded interface{ GRPCStatus() *status.Status }
	if errors.As(err, &graded) {
		return fromStatus(graded.GRPCStatus(), err)
	}
	if passing(err) {
		return Unavailable("DEPENDENCY_UNAVAILABLE", "A part of the platform does not answer at the moment.").
			WithRemedy("Try again; if it stays, report the request id.").WithCause(err)
	}
	return Internal(err)
}

// passing reports whether err came from a connection, or from a Postgres that is short of something, starts or stops
// (SQLSTATE classes 08, 53 and 57P): it says nothing about the call.
func passing(err error) bool {
	var database interface{ SQLState() string }
	if errors.As(err, &database) {
		state := database.SQLState()
		return strings.HasPrefix(state, "08") || strings.HasPrefix(state, "53") || strings.HasPrefix(state, "57P")
	}
	var network net.Error
	return errors.As(err, &network) || errors.Is(err, io.ErrUnexpectedEOF)
}

// CodeOf returns the gRPC code that err would be answered with.
func CodeOf(err error) codes.Code {
	if err == nil {
		return codes.OK
	}
	return From(err).Code
}

// ReasonOf returns the stable reason of err, or "" for nil.
func ReasonOf(err error) string {
	if err == nil {
		return ""
	}
	return From(err).Reason
}

func fromStatus(s *status.Status, err error) *Fault {
	f := &Fault{Code: s.Code(), Reason: reasonFor(s.Code()), Message: s.Message(), cause: err}
	for _, detail := range s.Details() {
		switch d := detail.(type) {
		case *errdetails.ErrorInfo:
			f.Reason, f.Remedy = d.GetReason(), d.GetMetadata()["remedy"]
		case *errdetails.RetryInfo:
			f.RetryAfter = d.GetRetryDelay().AsDuration()
		case *errdetails.BadRequest:
			for _, v := range d.GetFieldViolations() {
				f.Fields = append(f.Fields, Field{Path: v.GetField(), Why: v.GetDescription()})
			}
		}
	}
	return f
}

// reasonFor is the reason of a status that carries none (grpc's own errors).
func reasonFor(c codes.Code) string {
	switch c {
	case codes.Unimplemented:
		return "METHOD_UNKNOWN"
	case codes.Unavailable:
		return "UNAVAILABLE"
	case codes.DeadlineExceeded:
		return "DEADLINE_EXCEEDED"
	case codes.Canceled:
		return "CANCELED"
	case codes.ResourceExhausted:
		return "MESSAGE_TOO_LARGE"
	case codes.InvalidArgument:
		return "REQUEST_MALFORMED"
	default:
		return "INTERNAL"
	}
}

// GRPCStatus makes a Fault a gRPC error with ErrorInfo, RetryInfo and BadRequest details (google/rpc/error_details).
func (f *Fault) GRPCStatus() *status.Status { return f.Status("") }

// Status is GRPCStatus with the request id in ErrorInfo's metadata.
func (f *Fault) Status(requestID string) *status.Status {
	info := &errdetails.ErrorInfo{Reason: f.Reason, Domain: Domain, Metadata: map[string]string{}}
	if f.Remedy != "" {
		info.Metadata["remedy"] = f.Remedy
	}
	if requestID != "" {
		info.Metadata["request_id"] = requestID
	}
	s, err := status.New(f.Code, f.Message).WithDetails(info)
	if err != nil {
		return status.New(f.Code, f.Message)
	}
	if f.RetryAfter > 0 {
		s, _ = s.WithDetails(&errdetails.RetryInfo{RetryDelay: durationpb.New(f.RetryAfter)})
	}
	if len(f.Fields) > 0 {
		bad := &errdetails.BadRequest{}
		for _, v := range f.Fields {
			bad.FieldViolations = append(bad.FieldViolations,
				&errdetails.BadRequest_FieldViolation{Field: v.Path, Description: v.Why})
		}
		s, _ = s.WithDetails(bad)
	}
	return s
}

// HTTPStatus is the HTTP status of a gRPC code, as in google/rpc/code.proto.
func HTTPStatus(c codes.Code) int {
	switch c {
	case codes.OK:
		return http.StatusOK
	case codes.Canceled:
		return 499
	case codes.InvalidArgument, codes.FailedPrecondition, codes.OutOfRange:
		return http.StatusBadRequest
	case codes.DeadlineExceeded:
		return http.StatusGatewayTimeout
	case codes.NotFound:
		return http.StatusNotFound
	case codes.AlreadyExists, codes.Aborted:
		return http.StatusConflict
	case codes.PermissionDenied:
		return http.StatusForbidden
	case codes.Unauthenticated:
		return http.StatusUnauthorized
	case codes.ResourceExhausted:
		return http.StatusTooManyRequests
	case codes.Unimplemented:
		return http.StatusNotImplemented
	case codes.Unavailable:
		return http.StatusServiceUnavailable
	default:
		return http.StatusInternalServerError
	}
}
