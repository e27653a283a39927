package obs

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"regexp"
	"strings"

	"go.opentelemetry.io/otel/trace"

	"github.com/naksha-cloud/naksha/pkg/caller"
)

// redacted stands in place of a secret.
const redacted = "REDACTED"

// secretWords in an attribute's key make its value a secret.
var secretWords = []string{"password", "secret", "token", "authorization"}

// userinfo matches the password in a URL such as a connection string.
var userinfo = regexp.MustCompile(`(://[^/\s:@]*):[^@\s/]+@`)

// newHandler writes redacted records with the ids of their context.
func newHandler(format string, w io.Writer, level slog.Leveler) (slog.Handler, error) {
	options := &slog.HandlerOptions{Level: level, ReplaceAttr: redact}
	switch format {
	case "", "text":
		return contextHandler{slog.NewTextHandler(w, options)}, nil
	case "json":
		return contextHandler{slog.NewJSONHandler(w, options)}, nil
	default:
		return nil, fmt.Errorf("log format %q: want text or json", format)
	}
}

// redact hides values under secret keys, and passwords inside of URLs.
func redact(_ []string, a slog.Attr) slog.Attr {
	if secretKey(a.Key) && !a.Value.Equal(slog.StringValue("")) {
		return slog.String(a.Key, redacted)
	}
	switch v := a.Value.Any().(type) {
	case string:
		if clean := redactURLs(v); clean != v {
			return slog.String(a.Key, clean)
		}
	case error:
		return slog.String(a.Key, redactURLs(v.Error()))
	}
	return a
}

func redactURLs(s string) string {
	if !strings.Contains(s, "://") {
		return s
	}
	return userinfo.ReplaceAllString(s, "${1}:"+redacted+"@")
}

func secretKey(key string) bool {
	key = strings.ToLower(key)
	for _, word := range secretWords {
		if strings.Contains(key, word) {
			return true
		}
	}
	return false
}

// contextHandler adds what the context knows: the trace, the request, the workspace.
type contextHandler struct{ slog.Handler }

// Handle adds the attributes and passes the record on.
func (h contextHandler) Handle(ctx context.Context, r slog.Record) error {
	if span := trace.SpanContextFromContext(ctx); span.IsValid() {
		r.AddAttrs(slog.String("trace_id", span.TraceID().String()), slog.String("span_id", span.SpanID().String()))
	}
	if id := caller.RequestID(ctx); id != "" {
		r.AddAttrs(slog.String("request_id", id))
	}
	if c, ok := caller.From(ctx); ok && c.Workspace != "" {
		r.AddAttrs(slog.String("workspace", c.Workspace))
	}
	r.Message = redactURLs(r.Message)
	return h.Handler.Handle(ctx, r)
}

// WithAttrs keeps the handler around the new one.
func (h contextHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return contextHandler{h.Handler.WithAttrs(attrs)}
}

// WithGroup keeps the handler around the new one.
func (h contextHandler) WithGroup(name string) slog.Handler {
	return contextHandler{h.Handler.WithGroup(name)}
}
