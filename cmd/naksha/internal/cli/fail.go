package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"google.golang.org/genproto/googleapis/rpc/code"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/naksha-cloud/naksha/pkg/fault"
)

// Exit codes (DESIGN §10).
const (
	exitOK       = 0
	exitError    = 1
	exitUsage    = 2
	exitNotFound = 3
	exitConflict = 4
	exitAuth     = 5
	exitQuota    = 6
	exitTimeout  = 7
	exitPartial  = 8
)

// usageError is a command line that cannot be run.
type usageError struct{ error }

// partialError is work of which a part was done.
type partialError struct{ error }

// toldError is a failure that the data on stdout tells already: in the JSON mode nothing is added to it.
type toldError struct{ error }

func (e toldError) Unwrap() error { return e.error }

// fail says what went wrong, once, and returns the exit code: as an object on stdout in the JSON mode, so that whoever
// parses always gets an object, else as a sentence on stderr.
func (a *App) fail(err error) int {
	f := failure{Code: "INTERNAL", Reason: "COMMAND_FAILED", Message: err.Error()}
	f.read(err)
	if told := (toldError{}); a.output == outputJSON && errors.As(err, &told) {
		return exitCode(err)
	}
	if a.output == outputJSON {
		content, _ := json.Marshal(map[string]failure{"error": f})
		fmt.Fprintln(a.Out, string(content))
	} else {
		f.print(a)
	}
	return exitCode(err)
}

// failure is an error as people and programs see it.
type failure struct {
	Code      string   `json:"code"`
	Reason    string   `json:"reason"`
	Message   string   `json:"message"`
	Remedy    string   `json:"remedy,omitempty"`
	RequestID string   `json:"request_id,omitempty"`
	Fields    []string `json:"fields,omitempty"`
}

func (f *failure) read(err error) {
	if isUsage(err) {
		f.Code, f.Reason = "INVALID_ARGUMENT", "USAGE"
		return
	}
	if denied(err) {
		f.Code, f.Reason = codeName(codes.PermissionDenied), "FILE_DENIED"
		return
	}
	if !isGraded(err) {
		return
	}
	graded := fault.From(err)
	f.Code, f.Reason = codeName(graded.Code), graded.Reason
	f.Message, f.Remedy = graded.Message, graded.Remedy
	for _, v := range graded.Fields {
		f.Fields = append(f.Fields, v.Path+": "+v.Why)
	}
	if s, ok := status.FromError(err); ok {
		f.RequestID = requestID(s)
	}
}

func (f *failure) print(a *App) {
	fmt.Fprintf(a.Err, "naksha: %s\n", f.Message)
	for _, field := range f.Fields {
		if !strings.Contains(f.Message, field) {
			fmt.Fprintf(a.Err, "  %s\n", field)
		}
	}
	if f.Remedy != "" {
		fmt.Fprintf(a.Err, "  → %s\n", f.Remedy)
	}
	if f.RequestID != "" {
		fmt.Fprintf(a.Err, "  request id %s\n", f.RequestID)
	}
}

// isGraded says whether err has a code: a fault, or what a gateway answered.
func isGraded(err error) bool {
	var graded interface{ GRPCStatus() *status.Status }
	return errors.As(err, &graded)
}

// denied says whether a file may not be read or written by this user.
func denied(err error) bool {
	var path *fs.PathError
	return !isGraded(err) && errors.As(err, &path) && errors.Is(path, fs.ErrPermission)
}

// isUsage recognises our own usage errors and those of cobra, which have no type.
func isUsage(err error) bool {
	var usage usageError
	if errors.As(err, &usage) {
		return true
	}
	text := err.Error()
	return strings.HasPrefix(text, "unknown command") || strings.HasPrefix(text, "required flag") ||
		strings.HasPrefix(text, "unknown shorthand") || strings.HasPrefix(text, "invalid argument")
}

func exitCode(err error) int {
	if isUsage(err) {
		return exitUsage
	}
	var partial partialError
	if errors.As(err, &partial) {
		return exitPartial
	}
	if denied(err) {
		return exitAuth
	}
	if !isGraded(err) {
		if errors.Is(err, context.DeadlineExceeded) {
			return exitTimeout
		}
		return exitError
	}
	switch fault.CodeOf(err) {
	case codes.InvalidArgument:
		return exitUsage
	case codes.NotFound:
		return exitNotFound
	case codes.AlreadyExists, codes.FailedPrecondition, codes.Aborted:
		return exitConflict
	case codes.Unauthenticated, codes.PermissionDenied:
		return exitAuth
	case codes.ResourceExhausted:
		return exitQuota
	case codes.DeadlineExceeded:
		return exitTimeout
	default:
		return exitError
	}
}

func requestID(s *status.Status) string {
	for _, d := range s.Details() {
		if info, ok := d.(*errdetails.ErrorInfo); ok {
			return info.GetMetadata()["request_id"]
		}
	}
	return ""
}

// codeName is a gRPC code as google/rpc/code.proto writes it.
func codeName(c codes.Code) string { return code.Code(c).String() }
