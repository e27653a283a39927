// Package rest is the JSON side of the door: it translates HTTP requests by the protos' rules (google.api.http) into calls
// of the one pipeline, and errors into problem documents (RFC 9457). It refuses what it would otherwise have to ignore:
// an unknown field, a query parameter that nothing reads, a body where none belongs.
package rest

import (
	"context"
	"fmt"
	"io"
	"net/http"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	"github.com/naksha-cloud/naksha/pkg/fault"
	"github.com/naksha-cloud/naksha/services/gateway/internal/api/call"
)

// Handler serves REST.
type Handler struct {
	mux      *runtime.ServeMux
	allowed  *allowed
	maxBytes int64
}

// New makes a Handler over a pipeline; a request's body may have maxBytes.
func New(p *call.Pipeline, maxBytes int) (*Handler, error) {
	h := &Handler{maxBytes: int64(maxBytes)}
	var err error
	if h.allowed, err = newAllowed(); err != nil {
		return nil, err
	}
	nothing := func(string) (string, bool) { return "", false }
	h.mux = runtime.NewServeMux(
		runtime.WithMarshalerOption(runtime.MIMEWildcard, marshaler{}),
		runtime.WithErrorHandler(h.failed),
		runtime.WithRoutingErrorHandler(h.unrouted),
		runtime.WithIncomingHeaderMatcher(nothing),
		runtime.WithOutgoingHeaderMatcher(nothing),
		runtime.WithOutgoingTrailerMatcher(nothing),
		runtime.WithDisablePathLengthFallback(),
		runtime.WithDisableHTTPMethodOverride(),
		runtime.WithWriteContentLength(),
	)
	return h, register(h.mux, conn{p})
}

// ServeHTTP answers one request.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	v := call.From(r.Context())
	if err := h.check(r, v); err != nil {
		h.drain(r)
		Refuse(w, r, err)
		return
	}
	if verbOf(r.URL.Path) != "" && !h.allowed.takes(r.Method, r.URL.Path) {
		h.untaken(w, r)
		return
	}
	r.Body = &body{ReadCloser: http.MaxBytesReader(w, r.Body, h.maxBytes), limit: h.maxBytes}
	h.mux.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), requestKey{}, r)))
}

// drainFactor bounds, as a multiple of the largest request, what is read of a refused one.
const drainFactor = 4

// drain reads a refused HTTP/1 body: a client that is still sending would lose the reply with the connection. The door's
// body time-out bounds it in time; HTTP/2 needs none of this.
func (h *Handler) drain(r *http.Request) {
	if r.ProtoMajor == 1 {
		_, _ = io.CopyN(io.Discard, r.Body, drainFactor*h.maxBytes)
	}
}

// check refuses what can be refused before the body is read.
func (h *Handler) check(r *http.Request, v *call.Visit) error {
	switch {
	case !plain(r.URL):
		return UnknownPath()
	case v.Refused != nil:
		return v.Refused
	}
	if err := checkQuery(r); err != nil {
		return err
	}
	return checkBody(r, h.maxBytes)
}

type requestKey struct{}

// conn is the pipeline as the generated code sees it.
type conn struct{ pipeline *call.Pipeline }

// Invoke passes a translated request on.
func (c conn) Invoke(ctx context.Context, method string, in, out any, _ ...grpc.CallOption) error {
	request, ok := in.(proto.Message)
	if !ok {
		return fault.Internal(fmt.Errorf("%s: %T is no message", method, in))
	}
	return c.pipeline.Do(ctx, call.Order{
		Method: method, In: in, Out: out,
		Decode: func(call.Method) (proto.Message, error) {
			r, _ := ctx.Value(requestKey{}).(*http.Request)
			return request, checkParameters(ctx, r, request)
		},
	})
}

// NewStream refuses: the door carries unary calls only.
func (conn) NewStream(context.Context, *grpc.StreamDesc, string, ...grpc.CallOption) (grpc.ClientStream, error) {
	return nil, fault.Internal(fmt.Errorf("a stream over REST"))
}
