// Package wire speaks gRPC over HTTP/2 for unary calls, as gRPC's PROTOCOL-HTTP2 describes it, on net/http's server. It
// carries frames to the pipeline and statuses back; it knows no method. (grpc-go's own handler for net/http costs two
// goroutines and a pipe per call, and answers what it refuses in its own words.)
package wire

import (
	"encoding/base64"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/naksha-cloud/naksha/pkg/fault"
	"github.com/naksha-cloud/naksha/services/gateway/internal/api/call"
)

// Handler serves gRPC calls through a pipeline.
type Handler struct {
	Pipeline *call.Pipeline
	MaxBytes int // largest request message, after decompression
}

// Is says that r is a gRPC call: its content type is application/grpc, alone or with a codec.
func Is(r *http.Request) bool {
	kind := r.Header.Get("Content-Type")
	rest, ok := strings.CutPrefix(strings.ToLower(kind), "application/grpc")
	return ok && (rest == "" || rest[0] == '+' || rest[0] == ';')
}

// ServeHTTP answers one call. Whatever happens is a gRPC status.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	prepare(w.Header())
	reply, err := h.serve(r)
	if err != nil {
		Refuse(w, r, err)
		return
	}
	frame := make([]byte, prefixLength, prefixLength+len(reply))
	putLength(frame, len(reply))
	_, err = w.Write(append(frame, reply...))
	if err != nil {
		return // the client is gone
	}
	w.Header().Set(http.TrailerPrefix+"Grpc-Status", "0")
}

func prepare(header http.Header) {
	header.Set("Content-Type", "application/grpc")
	header.Set("Grpc-Accept-Encoding", "identity,gzip")
}

func (h *Handler) serve(r *http.Request) (call.Frame, error) {
	v := call.From(r.Context())
	switch {
	case r.Method != http.MethodPost:
		return nil, fault.Invalid("HTTP_METHOD_NOT_ALLOWED", "gRPC calls are POST requests.").WithRemedy("Use a gRPC client.")
	case !protobuf(r):
		return nil, fault.Invalid("CONTENT_TYPE_UNSUPPORTED", "Only protobuf messages are understood.").
			WithRemedy("Send application/grpc or application/grpc+proto.")
	case v.Refused != nil:
		return nil, v.Refused // before anything of a stranger's body is read
	}
	ctx, cancel, err := deadline(r.Context(), r.Header.Get("Grpc-Timeout"))
	if err != nil {
		return nil, err
	}
	defer cancel()
	in, err := readFrame(r.Body, r.Header.Get("Grpc-Encoding"), h.MaxBytes)
	if err != nil {
		return nil, err
	}
	var out call.Frame
	err = h.Pipeline.Do(ctx, call.Order{
		Method: r.RequestURI, // as it was sent: a name that only decodes to a method's is none
		In:     &in, Out: &out,
		Decode:  func(m call.Method) (proto.Message, error) { return m.Decode(in) },
		Options: []grpc.CallOption{grpc.ForceCodecV2(call.Raw())},
	})
	return out, err
}

// protobuf says that the messages are protobuf, which is also what no codec means.
func protobuf(r *http.Request) bool {
	kind, _, _ := strings.Cut(strings.ToLower(r.Header.Get("Content-Type")), ";")
	kind = strings.TrimSpace(kind)
	return kind == "application/grpc" || kind == "application/grpc+proto"
}

// Refuse answers a call with an error. It ends in trailers of its own: in a reply of headers alone, clients would look for
// the request id among the trailers.
func Refuse(w http.ResponseWriter, r *http.Request, err error) {
	v := call.From(r.Context())
	v.Fail(err)
	s := statusOf(err, v.RequestID)
	header := w.Header()
	prepare(header)
	header.Set(http.TrailerPrefix+"Grpc-Status", strconv.Itoa(int(s.Code())))
	header.Set(http.TrailerPrefix+"Grpc-Message", escape(s.Message()))
	if details, err := proto.Marshal(s.Proto()); err == nil {
		header.Set(http.TrailerPrefix+"Grpc-Status-Details-Bin", base64.RawStdEncoding.EncodeToString(details))
	}
	w.WriteHeader(http.StatusOK)
}

// statusOf keeps a service's status as it is; a fault of the door's becomes one with the request id.
func statusOf(err error, requestID string) *status.Status {
	var f *fault.Fault
	if !errors.As(err, &f) {
		if s, ok := status.FromError(err); ok {
			return s
		}
		f = fault.From(err)
	}
	s := f.Status(requestID)
	if s.Code() == codes.OK {
		return fault.Internal(err).Status(requestID)
	}
	return s
}

// escape writes a message as gRPC percent-encodes it: printable ASCII but '%' stays.
func escape(message string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(message) {
		if c := message[i]; c >= ' ' && c <= '~' && c != '%' {
			b.WriteByte(c)
		} else {
			b.Write([]byte{'%', hex[c>>4], hex[c&15]})
		}
	}
	return b.String()
}
