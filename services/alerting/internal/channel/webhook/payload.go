package webhook

import (
	"errors"
	"net/url"
	"time"

	"github.com/naksha-cloud/naksha/services/alerting/internal/channel"
)

// body is the JSON that receivers see: `type`, `timestamp` and `data`, as Standard Webhooks advises. It only grows.
type body struct {
	Type      string    `json:"type"`      // incident.page, incident.acknowledged, incident.resolved
	Timestamp time.Time `json:"timestamp"` // when it was decided to tell, UTC
	Data      data      `json:"data"`
}

type data struct {
	Delivery    string   `json:"delivery"` // the same on every try
	Target      string   `json:"target"`
	Level       int      `json:"level"` // 1 = first; 0 = a notice
	Cycle       int      `json:"cycle"`
	LateSeconds float64  `json:"late_seconds"`
	Incident    incident `json:"incident"`
	Alerts      []alert  `json:"alerts"`
}

type incident struct {
	Name           string    `json:"name"` // incidents/{id}
	Title          string    `json:"title"`
	Severity       string    `json:"severity"`
	State          string    `json:"state"`
	GroupKey       string    `json:"group_key"`
	CreateTime     time.Time `json:"create_time"`
	RunbookURL     string    `json:"runbook_url,omitempty"`
	AcknowledgedBy string    `json:"acknowledged_by,omitempty"`
	ResolvedBy     string    `json:"resolved_by,omitempty"`
}

type alert struct {
	Labels       map[string]string `json:"labels"`
	Annotations  map[string]string `json:"annotations"`
	StartTime    time.Time         `json:"start_time"`
	Firing       bool              `json:"firing"`
	GeneratorURL string            `json:"generator_url,omitempty"`
}

func payload(m channel.Message) body {
	b := body{
		Type: "incident." + m.Kind, Timestamp: m.Created.UTC(),
		Data: data{
			Delivery: m.ID, Target: m.Target, Level: m.Level, Cycle: m.Cycle, LateSeconds: m.Late.Seconds(), Alerts: []alert{},
			Incident: incident{
				Name: "incidents/" + m.Incident.ID, Title: m.Incident.Title, Severity: m.Incident.Severity,
				State: m.Incident.Status, GroupKey: m.Incident.GroupKey, CreateTime: m.Incident.OpenedAt.UTC(),
				RunbookURL: m.Incident.RunbookURL, AcknowledgedBy: m.Incident.AcknowledgedBy, ResolvedBy: m.Incident.ResolvedBy,
			},
		},
	}
	for _, a := range m.Alerts {
		b.Data.Alerts = append(b.Data.Alerts, alert{
			Labels: a.Labels, Annotations: a.Annotations, StartTime: a.StartsAt.UTC(), Firing: a.Firing, GeneratorURL: a.GeneratorURL,
		})
	}
	return b
}

// withoutURL drops the address from a client's error: it may hold a token.
func withoutURL(err error) error {
	var e *url.Error
	if errors.As(err, &e) {
		return e.Err
	}
	return err
}
