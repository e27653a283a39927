package email

import (
	"bytes"
	_ "embed" // the two bodies
	"fmt"
	htmltemplate "html/template"
	"maps"
	"slices"
	"strings"
	"text/template"
	"time"

	"github.com/wneessen/go-mail"

	"github.com/naksha-cloud/naksha/services/alerting/internal/channel"
)

//go:embed body.txt
var plainText string

//go:embed body.html
var htmlText string

// compose writes the mail. Whatever a title or label holds stays text: headers are encoded, HTML is escaped.
func compose(from, to string, m channel.Message) (*mail.Msg, error) {
	msg := mail.NewMsg()
	if err := msg.From(from); err != nil {
		return nil, fmt.Errorf("the sender's address is malformed")
	}
	if err := msg.To(to); err != nil {
		return nil, fmt.Errorf("the address of %s is malformed", m.Target)
	}
	thread := "<" + m.Incident.ID + "@" + Domain + ">"
	msg.Subject(subject(m))
	msg.SetMessageIDWithValue(m.ID + "@" + Domain)
	msg.SetDateWithValue(m.Created)
	msg.SetGenHeader(mail.HeaderReferences, thread)
	msg.SetGenHeader(mail.HeaderInReplyTo, thread)
	msg.SetGenHeader("Auto-Submitted", "auto-generated") // RFC 3834: no holiday notices, please
	msg.SetGenHeader("X-Naksha-Incident", "incidents/"+m.Incident.ID)
	if m.Kind == "page" {
		msg.SetImportance(mail.ImportanceHigh)
	}
	plain, html, err := bodies(m)
	if err != nil {
		return nil, err
	}
	msg.SetBodyString(mail.TypeTextPlain, plain)
	msg.AddAlternativeString(mail.TypeTextHTML, html)
	return msg, nil
}

func subject(m channel.Message) string {
	severity := strings.ToUpper(m.Incident.Severity)
	switch m.Kind {
	case "page":
		return fmt.Sprintf("[%s] %s", severity, m.Incident.Title)
	default:
		return fmt.Sprintf("[%s] %s: %s", severity, m.Kind, m.Incident.Title)
	}
}

// page is what the bodies show.
type page struct {
	channel.Message
	Headline string
	Severity string
	Lines    []string // of the incident
	Alerts   []alertLines
}

type alertLines struct {
	Title string
	Lines []string
}

func bodies(m channel.Message) (plain, html string, err error) {
	p := page{Message: m, Headline: headline(m), Severity: strings.ToUpper(m.Incident.Severity), Lines: facts(m)}
	for _, a := range m.Alerts {
		p.Alerts = append(p.Alerts, describe(a))
	}
	var text, markup bytes.Buffer
	t, err := template.New("text").Parse(plainText)
	if err == nil {
		err = t.Execute(&text, p)
	}
	if err != nil {
		return "", "", fmt.Errorf("write text: %w", err)
	}
	h, err := htmltemplate.New("html").Parse(htmlText)
	if err == nil {
		err = h.Execute(&markup, p)
	}
	if err != nil {
		return "", "", fmt.Errorf("write html: %w", err)
	}
	return text.String(), markup.String(), nil
}

func headline(m channel.Message) string {
	switch m.Kind {
	case "acknowledged":
		return "Acknowledged by " + m.Incident.AcknowledgedBy + ". No further pages."
	case "resolved":
		if m.Incident.ResolvedBy != "" {
			return "Resolved by " + m.Incident.ResolvedBy + "."
		}
		return "Resolved: no alert fires any more."
	}
	line := fmt.Sprintf("You are paged as %s (level %d).", m.Target, m.Level)
	if m.Late >= time.Minute {
		line += fmt.Sprintf(" This page is %s late.", m.Late.Truncate(time.Second))
	}
	return line
}

func facts(m channel.Message) []string {
	lines := []string{
		"Incident: incidents/" + m.Incident.ID,
		"Since: " + m.Incident.OpenedAt.UTC().Format(time.RFC3339),
		"Group: " + m.Incident.GroupKey,
	}
	if m.Incident.RunbookURL != "" {
		lines = append(lines, "Runbook: "+m.Incident.RunbookURL)
	}
	if m.Kind == "page" {
		lines = append(lines, "Acknowledge: naksha incident acknowledge "+m.Incident.ID)
	}
	return lines
}

func describe(a channel.Alert) alertLines {
	state := "resolved"
	if a.Firing {
		state = "firing"
	}
	d := alertLines{Title: a.Labels["alertname"] + " (" + state + " since " + a.StartsAt.UTC().Format(time.RFC3339) + ")"}
	for _, name := range slices.Sorted(maps.Keys(a.Labels)) {
		d.Lines = append(d.Lines, name+" = "+a.Labels[name])
	}
	for _, name := range slices.Sorted(maps.Keys(a.Annotations)) {
		d.Lines = append(d.Lines, name+": "+a.Annotations[name])
	}
	return d
}
