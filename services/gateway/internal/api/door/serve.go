package door

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/otel/propagation"
	"google.golang.org/grpc/codes"

	"github.com/naksha-cloud/naksha/pkg/caller"
	"github.com/naksha-cloud/naksha/pkg/fault"
	"github.com/naksha-cloud/naksha/pkg/obs"
	"github.com/naksha-cloud/naksha/services/gateway/internal/api/call"
	"github.com/naksha-cloud/naksha/services/gateway/internal/api/rest"
	"github.com/naksha-cloud/naksha/services/gateway/internal/api/wire"
	"github.com/naksha-cloud/naksha/services/gateway/internal/key"
)

// requestIDHeader carries a request id, in requests and in every reply.
const requestIDHeader = "X-Request-Id"

// ServeHTTP answers one request, of whatever kind.
func (d *Door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	begin := d.deps.Clock.Now()
	v := &call.Visit{RequestID: requestID(r.Header)}
	greet(w.Header(), v.RequestID)
	ctx := d.deps.Telemetry.Propagator.Extract(r.Context(), propagation.HeaderCarrier(r.Header))
	ctx, span := d.deps.Telemetry.Span(caller.WithRequestID(ctx, v.RequestID), "gateway.call")
	defer func() {
		ctx = call.Identified(ctx, v)
		if v.Outcome != nil {
			obs.End(span, v.Outcome)
		} else {
			obs.End(span, nil)
		}
		d.leave(ctx, v, transport(r), d.deps.Clock.Now().Sub(begin))
	}()
	defer d.recover(ctx, w, r, v)
	d.answer(ctx, w, r, v)
}

// answer finds the transport. Only what is the same for everybody is answered without asking who calls.
func (d *Door) answer(ctx context.Context, w http.ResponseWriter, r *http.Request, v *call.Visit) {
	switch {
	case wire.Is(r) && r.ProtoMajor < 2:
		rest.Refuse(w, r.WithContext(call.With(ctx, v)), fault.Invalid("HTTP2_REQUIRED", "gRPC needs HTTP/2.").
			WithRemedy("Connect with HTTP/2, or use REST."))
	case wire.Is(r):
		if ours(r.RequestURI) {
			d.limitBody(w)
			d.builtin.ServeHTTP(w, r.WithContext(call.With(ctx, v)))
			return
		}
		d.admit(ctx, r, v)
		d.limitBody(w)
		d.grpc.ServeHTTP(w, r.WithContext(call.With(ctx, v)))
	case r.URL.Path == "/healthz" || r.URL.Path == "/openapi.json":
		d.page(w, r.WithContext(call.With(ctx, v)))
	case !strings.HasPrefix(r.URL.Path, "/v1/"):
		rest.Refuse(w, r.WithContext(call.With(ctx, v)), rest.UnknownPath())
	default:
		d.admit(ctx, r, v)
		d.limitBody(w)
		d.rest.ServeHTTP(w, r.WithContext(call.With(ctx, v)))
	}
}

// admit finds out who calls.
func (d *Door) admit(ctx context.Context, r *http.Request, v *call.Visit) {
	v.Who, v.Refused = d.deps.Auth.Authenticate(ctx, key.Headers{
		Authorization: r.Header["Authorization"],
		APIKey:        slices.Concat(r.Header["Apikey"], r.Header["X-Api-Key"]),
	})
}

// limitBody bounds how long the request's body may take to arrive.
func (d *Door) limitBody(w http.ResponseWriter) {
	// A connection that cannot be given a deadline is bounded by the call's.
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(d.config.BodyTimeout))
}

// page serves what needs no key.
func (d *Door) page(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		rest.Refuse(w, r, fault.Invalid("HTTP_METHOD_NOT_ALLOWED", "This path does not take %.16q.", r.Method).
			WithRemedy("Use GET."))
		return
	}
	if r.URL.Path == "/openapi.json" {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(d.document) // the client is gone: nobody to tell
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = io.WriteString(w, "ok\n")
}

// greet sets what every reply carries.
func greet(header http.Header, requestID string) {
	header.Set(requestIDHeader, requestID)
	header.Set("Server", "naksha")
	header.Set("Strict-Transport-Security", "max-age=31536000")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Cache-Control", "no-store")
}

// requestID is the client's, when it may enter logs and replies, else a new one.
func requestID(header http.Header) string {
	if sent := header[requestIDHeader]; len(sent) == 1 && caller.ValidRequestID(sent[0]) {
		return sent[0]
	}
	return caller.NewRequestID()
}

func transport(r *http.Request) string {
	if wire.Is(r) {
		return "grpc"
	}
	return "rest"
}

// recover answers for a handler that panicked, if it had not answered yet.
func (d *Door) recover(ctx context.Context, w http.ResponseWriter, r *http.Request, v *call.Visit) {
	p := recover()
	if p == nil {
		return
	}
	if err, ok := p.(error); ok && errors.Is(err, http.ErrAbortHandler) {
		panic(http.ErrAbortHandler)
	}
	d.log.ErrorContext(ctx, "call panicked", "path", r.URL.Path, "panic", p, "stack", string(debug.Stack()))
	broken := fault.Internal(fmt.Errorf("panic: %v", p))
	r = r.WithContext(call.With(ctx, v))
	if wire.Is(r) {
		wire.Refuse(w, r, broken)
		return
	}
	rest.Refuse(w, r, broken)
}

// leave logs and measures one call.
func (d *Door) leave(ctx context.Context, v *call.Visit, transport string, took time.Duration) {
	code, reason := codes.OK, ""
	if v.Outcome != nil {
		code, reason = v.Outcome.Code, v.Outcome.Reason
	}
	d.meters.call(ctx, v.Method, transport, code, took)
	attrs := []any{"method", v.Method, "transport", transport, "code", code.String(), "duration", took, "key", v.Who.KID}
	switch {
	case v.Outcome == nil:
		d.log.DebugContext(ctx, "call done", attrs...)
	case code == codes.Internal || code == codes.Unknown || code == codes.Unavailable || code == codes.DataLoss:
		d.log.ErrorContext(ctx, "call failed", append(attrs, "reason", reason, "error", v.Outcome)...)
	default:
		d.log.InfoContext(ctx, "call refused", append(attrs, "reason", reason, "error", v.Outcome)...)
	}
}
