package rest

import (
	"context"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/naksha-cloud/naksha/pkg/fault"
	"github.com/naksha-cloud/naksha/services/gateway/internal/api/wire"
)

// plain reports whether a path is made of what resource names are made of, and is the only way to write itself: no dot
// segment, no empty one, no encoded slash. Whatever a proxy or a service might read differently does not pass.
func plain(u *url.URL) bool {
	raw := strings.ToLower(u.EscapedPath())
	if !strings.HasPrefix(u.Path, "/") || strings.Contains(raw, "%2f") || strings.Contains(raw, "%25") {
		return false
	}
	names, verb, _ := strings.Cut(u.Path[1:], ":")
	for segment := range strings.SplitSeq(names, "/") {
		if segment == "" || segment == "." || segment == ".." || strings.IndexFunc(segment, foreign) >= 0 {
			return false
		}
	}
	return strings.IndexFunc(verb, foreign) < 0
}

func foreign(r rune) bool {
	switch {
	case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9':
		return false
	}
	return !strings.ContainsRune("-._~", r)
}

// UnknownPath says that nothing is served at a path.
func UnknownPath() *fault.Fault {
	return fault.NotFound("PATH_UNKNOWN", "There is nothing at this path.").
		WithRemedy("Look the path up in /openapi.json; resource names are written plainly, without percent-encoding.")
}

// checkQuery refuses a query that cannot be read, and any where the body says everything.
func checkQuery(r *http.Request) error {
	if r.URL.RawQuery == "" {
		return nil
	}
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil || !utf8.ValidString(strings.Join(flatten(query), "")) {
		return fault.Invalid("QUERY_MALFORMED", "The query cannot be read.").
			WithRemedy("Write it as name=value&…, percent-encoded UTF-8.").WithCause(err)
	}
	if r.Method == http.MethodPost {
		for name := range query {
			return unknownParameter(name)
		}
	}
	return nil
}

func flatten(query url.Values) (all []string) {
	for name, values := range query {
		all = append(append(all, name), values...)
	}
	return all
}

// checkParameters refuses query parameters that the request has no field for, and whatever the path has set already.
func checkParameters(ctx context.Context, r *http.Request, request proto.Message) error {
	if r == nil {
		return nil
	}
	pattern, _ := runtime.HTTPPathPattern(ctx)
	if b, ok := r.Body.(*body); ok {
		if err := b.agree(pattern, request); err != nil {
			return err
		}
	}
	if r.URL.RawQuery == "" {
		return nil
	}
	for name := range r.URL.Query() {
		if !readable(request.ProtoReflect().Descriptor(), pattern, name) {
			return unknownParameter(name)
		}
	}
	return nil
}

// readable reports whether the query parameter name sets a field of d that the path does not.
func readable(d protoreflect.MessageDescriptor, pattern, name string) bool {
	for i, part := range strings.Split(name, ".") {
		if d == nil {
			return false
		}
		field := d.Fields().ByJSONName(part)
		if field == nil {
			field = d.Fields().ByTextName(part)
		}
		if field == nil || field.IsMap() || i == 0 && inPath(pattern, string(field.Name())) {
			return false
		}
		d = field.Message()
	}
	return true
}

// inPath reports whether a path pattern has a variable of this name.
func inPath(pattern, name string) bool {
	return strings.Contains(pattern, "{"+name+"=") || strings.Contains(pattern, "{"+name+"}")
}

func unknownParameter(name string) *fault.Fault {
	return fault.Invalid("FIELD_UNKNOWN", "The query parameter %.64q is not known here.", name).
		WithRemedy("Leave it out, or look its name up in /openapi.json.").
		WithField(clip(name), "no such query parameter")
}

// checkBody refuses a body where none belongs, one of another type than JSON, and one that says it is too large.
func checkBody(r *http.Request, limit int64) error {
	if r.ContentLength > limit {
		return wire.TooLarge(int(limit))
	}
	if r.Method == http.MethodGet || r.Method == http.MethodDelete || r.Method == http.MethodHead {
		return noBody(r)
	}
	if r.ContentLength == 0 && r.Header.Get("Content-Type") == "" {
		return nil
	}
	kind, parameters, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	charset := parameters["charset"]
	if err != nil || kind != "application/json" || charset != "" && !strings.EqualFold(charset, "utf-8") {
		return fault.Invalid("CONTENT_TYPE_UNSUPPORTED", "The body is not declared as JSON.").
			WithRemedy("Send `Content-Type: application/json`.")
	}
	if coding := r.Header.Get("Content-Encoding"); coding != "" && !strings.EqualFold(coding, "identity") {
		return fault.Invalid("CONTENT_TYPE_UNSUPPORTED", "The body is compressed, which REST does not take.").
			WithRemedy("Send the body as it is, without Content-Encoding.")
	}
	return nil
}

func noBody(r *http.Request) error {
	if r.ContentLength == 0 || r.Body == nil || r.Body == http.NoBody {
		return nil
	}
	if n, err := r.Body.Read(make([]byte, 1)); n == 0 && errors.Is(err, io.EOF) {
		return nil
	}
	return fault.Invalid("BODY_UNEXPECTED", "A %s request takes no body.", r.Method).
		WithRemedy("Put what the request says into the path and the query.")
}

// clip bounds a name that came from outside, for an answer.
func clip(name string) string {
	const longest = 64
	if len(name) > longest {
		name = name[:longest]
	}
	return strings.ToValidUTF8(name, "")
}
