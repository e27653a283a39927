package rpc

import (
	"errors"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/naksha-cloud/naksha/pkg/fault"
)

// outward is the fault that a caller sees of err. What is unknown stays inside: its text is for the log alone.
func outward(err error, requestID string) *fault.Fault {
	f := fault.From(err)
	switch {
	case f.Code == codes.Internal || f.Code == codes.Unknown:
		hidden := fault.Internal(err)
		hidden.Message = "internal error, request id " + requestID
		return hidden
	case foreign(err):
		return fault.New(f.Code, f.Reason, foreignMessage(f.Code)).WithRetryAfter(f.RetryAfter).WithCause(err)
	}
	return f
}

// foreign reports whether err is a gRPC status that no service of ours wrote: its message may name hosts and ports.
func foreign(err error) bool {
	var f *fault.Fault
	if errors.As(err, &f) {
		return false
	}
	s, ok := status.FromError(err)
	if !ok {
		return false
	}
	for _, detail := range s.Details() {
		if info, ok := detail.(*errdetails.ErrorInfo); ok && info.GetDomain() == fault.Domain {
			return false
		}
	}
	return true
}

func foreignMessage(c codes.Code) string {
	switch c {
	case codes.Unavailable:
		return "A part of the platform is not reachable at the moment; try again."
	case codes.DeadlineExceeded:
		return "The call took longer than its deadline."
	case codes.Canceled:
		return "The caller gave up."
	default:
		return "The call was refused: " + c.String() + "."
	}
}

// serverFault reports whether an answer of code c is our doing: an operator should see it.
func serverFault(c codes.Code) bool {
	switch c {
	case codes.Internal, codes.Unknown, codes.DataLoss, codes.Unavailable:
		return true
	default:
		return false
	}
}
