package call

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/naksha-cloud/naksha/pkg/fault"
)

// serviceFields are the request fields that say which service is meant, where every service implements the method:
// `services/{service}`, or something in it.
var serviceFields = [...]protoreflect.Name{"service", "parent", "name"}

// ownerOf is the service that answers the request.
func ownerOf(m Method, request proto.Message) (string, error) {
	if owner := m.Owner(); owner != "" {
		return owner, nil
	}
	message := request.ProtoReflect()
	for _, name := range serviceFields {
		field := message.Descriptor().Fields().ByName(name)
		if field == nil || field.Kind() != protoreflect.StringKind {
			continue
		}
		rest, ok := strings.CutPrefix(message.Get(field).String(), "services/")
		owner, _, _ := strings.Cut(rest, "/")
		if ok && knownService(owner) {
			return owner, nil
		}
		return "", fault.Invalid("SERVICE_UNKNOWN", "The request names no service of the platform.").
			WithRemedy("Begin %s with services/tenant, services/backup, services/rotation, services/alerting or services/gateway.", name).
			WithField(string(name), "begins with services/{tenant,backup,rotation,alerting,gateway}")
	}
	return "", fmt.Errorf("%s: no service owns it and its request names none", m.FullName)
}

func knownService(name string) bool {
	switch name {
	case "tenant", "backup", "rotation", "alerting", "gateway":
		return true
	}
	return false
}

// outward is what the caller may see of an error that a call to owner ended with. What a service said stays as it said
// it; what gRPC itself says may name hosts and ports, and is put in our words.
func outward(err error, owner string) error {
	var f *fault.Fault
	if errors.As(err, &f) {
		return f // from a service in this process
	}
	s, ok := status.FromError(err)
	if !ok {
		return fault.From(err)
	}
	if ours(s) && s.Code() != codes.Unimplemented {
		return advised(s)
	}
	switch s.Code() {
	case codes.Unavailable:
		return away(owner, err)
	case codes.DeadlineExceeded:
		return fault.From(context.DeadlineExceeded).WithCause(err)
	case codes.Canceled:
		return fault.From(context.Canceled).WithRemedy("Call again if the answer is still wanted.").WithCause(err)
	case codes.ResourceExhausted:
		return fault.New(codes.ResourceExhausted, "REPLY_TOO_LARGE", "The reply is larger than the door lets through.").
			WithRemedy("Ask for less, for example with a smaller page_size.").WithCause(err)
	case codes.Unimplemented:
		return fault.New(codes.Unimplemented, "METHOD_NOT_SERVED", "The service %s does not serve this method.", owner).
			WithRemedy("Update the service %s to the gateway's version.", owner).WithCause(err)
	}
	return fault.Internal(err)
}

// ours says that a status was written by a service of the platform.
func ours(s *status.Status) bool {
	for _, detail := range s.Details() {
		if info, ok := detail.(*errdetails.ErrorInfo); ok && info.GetDomain() == fault.Domain {
			return true
		}
	}
	return false
}

// advised gives an error that says nobody what to do next a remedy of its code's.
func advised(s *status.Status) error {
	f := fault.From(s.Err())
	if f.Remedy != "" {
		return s.Err()
	}
	switch f.Code {
	case codes.Unavailable, codes.DeadlineExceeded, codes.Aborted:
		return f.WithRemedy("Try again in a moment.")
	case codes.Internal, codes.Unknown, codes.DataLoss:
		return f.WithRemedy("Try again; if it stays, report the request id.")
	default:
		return f.WithRemedy("Correct the request, or look the method up in /openapi.json.")
	}
}

func away(owner string, cause error) error {
	var f *fault.Fault
	if errors.As(cause, &f) && f.Code != codes.Unavailable {
		return f
	}
	return fault.Unavailable("SERVICE_UNAVAILABLE", "The service %s cannot be reached at the moment.", owner).
		WithRemedy("Try again in a moment.").WithRetryAfter(time.Second).WithCause(cause)
}

// unknownField names the first field of raw that type d does not have.
func unknownField(d protoreflect.MessageDescriptor, raw protoreflect.RawFields) error {
	number, _, _ := protowire.ConsumeTag(raw)
	name := fmt.Sprintf("%s.%d", d.Name(), number)
	return fault.Invalid("FIELD_UNKNOWN", "The request has a field that the platform does not know: number %d of %s.", number, d.FullName()).
		WithRemedy("Leave the field out, or use the protos of the platform's version.").
		WithField(name, "no such field")
}
