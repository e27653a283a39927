package demo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/naksha-cloud/naksha/cmd/naksha/internal/demo/outsider"
)

// When the next level is told and when the last, on the demo's accelerated policy; people have 15 minutes. Between them the
// second one acknowledges, also on a slow machine.
const nextLevel, lastLevel = time.Second, 6 * time.Second

// Who is told at which level.
const (
	onCall  = "oncall@outside.example"
	manager = "manager@outside.example"
	chief   = "chief@outside.example"
)

// policies is the escalation, faster: three levels within seconds. Every target is reached by mail and by webhook.
const policies = `policies:
  sev1:
    levels:
      - {at: 0s, target: platform-oncall, via: [webhook, email]}
      - {at: %[1]s, target: engineering-manager, via: [webhook, email]}
      - {at: %[2]s, target: cto, via: [webhook, email]}
    ack_timeout: 10m
areas: {default: platform-oncall}
targets:
  platform-oncall: {email: ` + onCall + `}
  engineering-manager: {email: ` + manager + `}
  cto: {email: ` + chief + `}
resolve_hold: 1s
`

// service is the alerting service's own configuration: where mail and webhooks go.
const service = `policy_file: %[1]q
smtp:
  host: %[2]q
  port: %[3]d
  tls: none
  from: Naksha demo <alerts@platform.example>
webhook:
  url: %[4]q
  secret: %[5]q
`

// writeAlerting writes the file for --alerting-config and the policies that it names.
func (w *world) writeAlerting() (string, error) {
	host, text, err := net.SplitHostPort(w.mail.Address())
	if err != nil {
		return "", err
	}
	port, err := strconv.Atoi(text)
	if err != nil {
		return "", err
	}
	policyFile, serviceFile := filepath.Join(w.root, "policies.yaml"), filepath.Join(w.root, "alerting.yaml")
	return serviceFile, errors.Join(
		os.WriteFile(policyFile, fmt.Appendf(nil, policies, nextLevel, lastLevel), 0o600),
		os.WriteFile(serviceFile, fmt.Appendf(nil, service, policyFile, host, port, w.hooks.URL(), w.hooks.Secret()), 0o600),
	)
}

// hook is the part of a webhook's body that the demo reads.
type hook struct {
	Type string `json:"type"` // incident.page, incident.acknowledged, incident.resolved
	Data struct {
		Target   string `json:"target"`
		Level    int    `json:"level"`
		Incident struct {
			Name     string `json:"name"`
			Title    string `json:"title"`
			Severity string `json:"severity"`
		} `json:"incident"`
		Alerts []struct {
			Labels map[string]string `json:"labels"`
		} `json:"alerts"`
	} `json:"data"`
}

func readHook(h outsider.Hook) (hook, bool) {
	var read hook
	return read, json.Unmarshal([]byte(h.Body), &read) == nil
}

// awaitHook waits for the webhook of a kind about an alert, at a level (0 = any).
func (w *world) awaitHook(ctx context.Context, kind, alertname string, level int) (outsider.Hook, hook, error) {
	ctx, cancel := bounded(ctx, patience, "the webhook "+kind)
	defer cancel()
	arrived, err := w.hooks.Inbox.Await(ctx, func(h outsider.Hook) bool {
		read, ok := readHook(h)
		return ok && read.Type == kind && read.about(alertname) && (level == 0 || read.Data.Level == level)
	})
	if err != nil {
		return arrived, hook{}, fmt.Errorf("%w (%d webhooks were refused)", err, len(w.hooks.Refused.All(func(error) bool { return true })))
	}
	read, _ := readHook(arrived)
	return arrived, read, nil
}

func (h hook) about(alertname string) bool {
	for _, a := range h.Data.Alerts {
		if a.Labels["alertname"] == alertname {
			return true
		}
	}
	return strings.Contains(h.Data.Incident.Title, alertname)
}

// awaitMail waits for a mail to an address that mentions all of the words in subject or body.
func (w *world) awaitMail(ctx context.Context, to string, words ...string) (outsider.Mail, error) {
	ctx, cancel := bounded(ctx, patience, "the mail to "+to)
	defer cancel()
	return w.mail.Inbox.Await(ctx, func(m outsider.Mail) bool { return m.To == to && mentions(m, words...) })
}

func mentions(m outsider.Mail, words ...string) bool {
	text := strings.ToLower(m.Subject + "\n" + m.Body)
	for _, word := range words {
		if !strings.Contains(text, strings.ToLower(word)) {
			return false
		}
	}
	return true
}

// toldAbout counts the mails and webhooks that mention a word, of those to an address ("" = all, and webhooks).
func (w *world) toldAbout(word, to string) int {
	told := len(w.mail.Inbox.All(func(m outsider.Mail) bool { return (to == "" || m.To == to) && mentions(m, word) }))
	if to == "" {
		told += len(w.hooks.Inbox.All(func(h outsider.Hook) bool { return strings.Contains(h.Body, word) }))
	}
	return told
}
