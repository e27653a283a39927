package rest

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"strconv"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/grpc/codes"

	"github.com/naksha-cloud/naksha/pkg/fault"
	"github.com/naksha-cloud/naksha/services/gateway/internal/api/call"
	"github.com/naksha-cloud/naksha/services/gateway/internal/problem"
)

// Refuse answers a request with a problem.
func Refuse(w http.ResponseWriter, r *http.Request, err error) {
	v := call.From(r.Context())
	f := v.Fail(err)
	p := problem.Of(f, v.RequestID)
	header := w.Header()
	header.Set("Content-Type", problem.ContentType)
	if f.RetryAfter > 0 {
		header.Set("Retry-After", strconv.Itoa(int(math.Ceil(f.RetryAfter.Seconds()))))
	}
	if f.Code == codes.Unauthenticated {
		header.Set("WWW-Authenticate", `Bearer realm="naksha"`)
	}
	text, err := json.Marshal(p)
	if err != nil {
		text = []byte("{}") // a struct of strings and numbers always marshals
	}
	header.Set("Content-Length", strconv.Itoa(len(text)))
	w.WriteHeader(p.Status)
	_, _ = w.Write(text) // the client is gone: nobody to tell
}

// failed answers for the generated code: with what the pipeline or the decoder said, or else for what the generated code
// itself did not understand.
func (h *Handler) failed(_ context.Context, _ *runtime.ServeMux, _ runtime.Marshaler, w http.ResponseWriter, r *http.Request, err error) {
	v := call.From(r.Context())
	b, _ := r.Body.(*body)
	var f *fault.Fault
	switch {
	case v.Outcome != nil:
		Refuse(w, r, v.Outcome)
	case b != nil && b.fault != nil:
		Refuse(w, r, b.fault)
	case errors.As(err, &f):
		Refuse(w, r, f)
	default:
		Refuse(w, r, untranslated(err))
	}
}

// quoted is the first quoted name in a text of the generated code's.
const quoted = `"([^"]{1,64})"`

// untranslated says which parameter the generated code could not use.
func untranslated(err error) *fault.Fault {
	f := fault.From(err)
	var status *runtime.HTTPStatusError
	if f.Code != codes.InvalidArgument && !errors.As(err, &status) {
		return fault.Internal(err)
	}
	if name := match(quoted, err.Error()); name != "" {
		return fault.Invalid("FIELD_INVALID", "The parameter %q has a wrong value.", clip(name)).
			WithRemedy("Look its type up in /openapi.json; send it once.").WithField(clip(name), "wrong type, or more than once").WithCause(err)
	}
	return fault.Invalid("REQUEST_MALFORMED", "The request cannot be understood.").
		WithRemedy("Look it up in /openapi.json.").WithCause(err)
}

// unrouted answers for requests that no method takes.
func (h *Handler) unrouted(_ context.Context, _ *runtime.ServeMux, _ runtime.Marshaler, w http.ResponseWriter, r *http.Request, status int) {
	if status == http.StatusMethodNotAllowed {
		h.untaken(w, r)
		return
	}
	Refuse(w, r, UnknownPath())
}

// untaken answers for a path that takes other HTTP methods, or none.
func (h *Handler) untaken(w http.ResponseWriter, r *http.Request) {
	allow := h.allowed.at(r.URL.Path)
	if allow == "" {
		Refuse(w, r, UnknownPath())
		return
	}
	w.Header().Set("Allow", allow)
	Refuse(w, r, fault.Invalid("HTTP_METHOD_NOT_ALLOWED", "This path does not take %.16q.", r.Method).
		WithRemedy("Use one of the methods that the header Allow lists."))
}
