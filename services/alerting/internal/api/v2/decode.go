package v2

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/naksha-cloud/naksha/services/alerting/internal/alert"
	"github.com/naksha-cloud/naksha/services/alerting/internal/ingest"
)

// maxBatch bounds the alerts of one post; Prometheus sends at most 256.
const maxBatch = 10_000

// postedAlert is an alert as clients send it. Unknown fields are ignored, as Alertmanager does.
type postedAlert struct {
	Labels       map[string]string `json:"labels"`
	Annotations  map[string]string `json:"annotations"`
	StartsAt     moment            `json:"startsAt"`
	EndsAt       moment            `json:"endsAt"`
	GeneratorURL string            `json:"generatorURL"`
}

// moment is an RFC 3339 time, or absent: null, "" and the year 1 mean the same.
type moment struct{ time.Time }

// UnmarshalJSON reads a moment.
func (m *moment) UnmarshalJSON(b []byte) error {
	var s string
	if err := json.Unmarshal(b, &s); err != nil {
		return errors.New("a time must be a string such as 2026-11-22T06:00:00Z")
	}
	if s == "" {
		return nil
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return fmt.Errorf("%.40q is no RFC 3339 time such as 2026-11-22T06:00:00Z", s)
	}
	m.Time = t.UTC()
	return nil
}

// Batch is the body of POST /api/v2/alerts, read.
type Batch struct {
	Posts    []alert.Post
	Places   []int // of each post in the body, 0 = first
	Refusals []ingest.Refusal
}

// DecodeAlerts reads the body of POST /api/v2/alerts. Alerts that cannot be read are refused one by one; an error says
// that the body is no array at all.
func DecodeAlerts(body []byte) (b Batch, err error) {
	var raw []json.RawMessage
	decoder := json.NewDecoder(bytes.NewReader(body))
	if err := decoder.Decode(&raw); err != nil {
		return Batch{}, badRequest("The body must be a JSON array of alerts: %s.", jsonError(err))
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return Batch{}, badRequest("The body must be one JSON array of alerts; something follows it.")
	}
	if raw == nil {
		return Batch{}, badRequest("The body must be a JSON array of alerts, not null.")
	}
	if len(raw) > maxBatch {
		return Batch{}, badRequest("%d alerts in one request: send at most %d.", len(raw), maxBatch)
	}
	for i, one := range raw {
		var posted postedAlert
		if err := json.Unmarshal(one, &posted); err != nil {
			b.Refusals = append(b.Refusals, ingest.Refusal{At: i, Why: jsonError(err)})
			continue
		}
		b.Places = append(b.Places, i)
		b.Posts = append(b.Posts, alert.Post{
			Labels: posted.Labels, Annotations: posted.Annotations, StartsAt: posted.StartsAt.Time, EndsAt: posted.EndsAt.Time,
			GeneratorURL: posted.GeneratorURL,
		})
	}
	return b, nil
}

// jsonError says what is wrong with JSON without Go's type names.
func jsonError(err error) string {
	var kind *json.UnmarshalTypeError
	var syntax *json.SyntaxError
	switch {
	case errors.As(err, &kind) && kind.Field != "":
		return fmt.Sprintf("%s must not be a %s", kind.Field, kind.Value)
	case errors.As(err, &kind):
		return fmt.Sprintf("it must not be a %s", kind.Value)
	case errors.As(err, &syntax):
		return fmt.Sprintf("malformed at byte %d", syntax.Offset)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "it ends too early"
	}
	return err.Error()
}
