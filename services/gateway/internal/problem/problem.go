// Package problem is the form of an error over REST: a problem document as in RFC 9457, with the members that every
// error of the platform has.
package problem

import (
	"net/http"

	"github.com/naksha-cloud/naksha/pkg/fault"
)

// ContentType is the media type of a problem.
const ContentType = "application/problem+json"

// Problem is one error.
type Problem struct {
	Type      string  `json:"type"`             // urn:naksha:problem:<reason>
	Title     string  `json:"title"`            // the status in words; the same for every problem of this status
	Status    int     `json:"status"`           // HTTP status
	Detail    string  `json:"detail"`           // one sentence about this occurrence
	Reason    string  `json:"reason"`           // UPPER_SNAKE, stable: the machine's key
	Remedy    string  `json:"remedy"`           // what to do next
	RequestID string  `json:"request_id"`       // of this call, as in the logs
	Fields    []Field `json:"fields,omitempty"` // what is wrong with which field
}

// Field is one invalid field.
type Field struct {
	Path string `json:"path"` // as in the request, e.g. `silence.matchers[0].label`
	Why  string `json:"why"`  // what is accepted
}

// statuses are the reasons whose HTTP status says more than their code's.
var statuses = map[string]int{
	"METHOD_UNKNOWN":           http.StatusNotFound,
	"PATH_UNKNOWN":             http.StatusNotFound,
	"HTTP_METHOD_NOT_ALLOWED":  http.StatusMethodNotAllowed,
	"CONTENT_TYPE_UNSUPPORTED": http.StatusUnsupportedMediaType,
	"REQUEST_TOO_LARGE":        http.StatusRequestEntityTooLarge,
	"REQUEST_TOO_SLOW":         http.StatusRequestTimeout,
	"HTTP2_REQUIRED":           http.StatusHTTPVersionNotSupported,
	"REPLY_TOO_LARGE":          http.StatusBadGateway,
}

// Status is the HTTP status of a fault.
func Status(f *fault.Fault) int {
	if status, ok := statuses[f.Reason]; ok {
		return status
	}
	return fault.HTTPStatus(f.Code)
}

// Of is the problem that a fault is shown as.
func Of(f *fault.Fault, requestID string) Problem {
	status := Status(f)
	p := Problem{
		Type: "urn:naksha:problem:" + f.Reason, Title: title(status), Status: status, Detail: f.Message,
		Reason: f.Reason, Remedy: f.Remedy, RequestID: requestID,
	}
	for _, field := range f.Fields {
		p.Fields = append(p.Fields, Field(field))
	}
	return p
}

func title(status int) string {
	if text := http.StatusText(status); text != "" {
		return text
	}
	return "Client Closed Request" // 499, which has no name in the standard
}
