package outbox

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/google/uuid"

	"github.com/naksha-cloud/naksha/pkg/bus"
)

// Header names: CloudEvents 1.0 in binary mode (prefix `ce-`), extensions workspace, aggregate, aggregateversion and digest.
const (
	headerSpec      = "ce-specversion"
	headerID        = "ce-id"
	headerSource    = "ce-source"
	headerType      = "ce-type"
	headerTime      = "ce-time"
	headerSubject   = "ce-subject"
	headerWorkspace = "ce-workspace"
	headerAggregate = "ce-aggregate"
	headerVersion   = "ce-aggregateversion"
	headerDigest    = "ce-digest"
	headerContent   = "Content-Type"
)

// envelope makes the message of a recorded fact.
func envelope(service string, e Event) bus.Message {
	headers := map[string]string{
		headerSpec: "1.0", headerID: e.ID.String(), headerSource: "/naksha/" + service, headerType: e.Type,
		headerTime: e.At.UTC().Format(time.RFC3339Nano), headerSubject: e.Aggregate,
		headerAggregate: e.Aggregate, headerVersion: strconv.FormatInt(e.Version, 10),
		headerContent: "application/protobuf", headerDigest: digest(e),
	}
	if e.Workspace != "" {
		headers[headerWorkspace] = e.Workspace
	}
	for k, v := range e.Headers {
		headers[k] = v
	}
	return bus.Message{ID: e.ID.String(), Subject: Subject(e.Type, e.Workspace), Headers: headers, Payload: e.Payload}
}

// Subject is where a fact is published: `naksha.<service>.v1.<fact_in_snake_case>.<ref|platform>`. typeName is the full
// name of its message, `naksha.<service>.v1.<Fact>`.
func Subject(typeName, workspace string) string {
	dot := strings.LastIndexByte(typeName, '.')
	if workspace == "" {
		workspace = "platform"
	}
	return typeName[:dot+1] + snake(typeName[dot+1:]) + "." + workspace
}

func snake(camel string) string {
	var b strings.Builder
	for i, r := range camel {
		if unicode.IsUpper(r) && i > 0 {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}

// parse reads a delivered message back into the fact. An error means that the message is not what an owner recorded.
func parse(d bus.Delivery) (Event, error) {
	h := d.Headers
	id, err := uuid.Parse(h[headerID])
	if err != nil {
		return Event{}, fmt.Errorf("event id %q: %w", h[headerID], err)
	}
	version, err := strconv.ParseInt(h[headerVersion], 10, 64)
	if err != nil || version < 1 {
		return Event{}, fmt.Errorf("aggregate version %q is no positive number", h[headerVersion])
	}
	at, err := time.Parse(time.RFC3339Nano, h[headerTime])
	if err != nil {
		return Event{}, fmt.Errorf("event time: %w", err)
	}
	if h[headerAggregate] == "" || h[headerType] == "" {
		return Event{}, fmt.Errorf("event %s has no aggregate or type", id)
	}
	e := Event{
		At: at, ID: id, Aggregate: h[headerAggregate], Version: version, Type: h[headerType],
		Workspace: h[headerWorkspace], Headers: traceOf(h), Payload: d.Payload,
	}
	if digest(e) != h[headerDigest] {
		return Event{}, fmt.Errorf("event %s does not have its digest", id)
	}
	return e, nil
}

func traceOf(h map[string]string) map[string]string {
	trace := map[string]string{}
	for _, k := range []string{"traceparent", "tracestate"} {
		if v, ok := h[k]; ok {
			trace[k] = v
		}
	}
	return trace
}
