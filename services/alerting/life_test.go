package alerting_test

import (
	"fmt"
	"net"
	"os"
	"strings"
	"testing"

	"github.com/naksha-cloud/naksha/pkg/local/localtest"
	"github.com/naksha-cloud/naksha/pkg/service/servicetest"
	"github.com/naksha-cloud/naksha/services/alerting"
)

func TestTwoServicesLiveInOneProcess(t *testing.T) {
	t.Parallel()
	a, b := newHouse(t, hookOnly), newHouse(t, hookOnly)
	one, two := a.start(nil), b.start(nil)
	a.alert(one, map[string]string{"alertname": "A", "severity": "sev1"}, "")
	servicetest.Eventually(t, count(1, a.hook.seen))
	if got := b.listed(two, ""); len(got) != 0 || len(b.hook.seen()) != 0 {
		t.Errorf("the other heard of it: %v", got)
	}
}

func TestStartsAfterAFailedStartAndStopsTwice(t *testing.T) {
	t.Parallel()
	h := newHouse(t, hookOnly)
	taken, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", localtest.Port(t)))
	if err != nil {
		t.Fatal(err)
	}
	h.config.HTTPListen = taken.Addr().String()
	s := h.replica(nil)
	if err := s.Start(t.Context()); err == nil || !strings.Contains(err.Error(), "http_listen") {
		t.Fatalf("started on a port in use: %v", err)
	}
	if err := taken.Close(); err != nil {
		t.Fatal(err)
	}
	for range 2 { // and again after a stop
		if err := s.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := s.Start(t.Context()); err != nil {
			t.Errorf("second start: %v", err)
		}
		if status, text := h.do(s, "GET", "/-/ready", ""); status != 200 {
			t.Errorf("not ready: %d %s", status, text)
		}
		for range 2 {
			kill(t, s)
		}
		if s.Ready(t.Context()) == nil || s.HTTPAddr() != "" || s.Addr() != "" {
			t.Error("stopped, and says that it runs")
		}
	}
	if err := h.replica(nil).Stop(t.Context()); err != nil {
		t.Errorf("stop before start: %v", err)
	}
}

func TestRefusesConfigurationThatCannotWork(t *testing.T) {
	t.Parallel()
	h := newHouse(t, "")
	for says, change := range map[string]func(*alerting.Config){
		"policy_file": func(c *alerting.Config) { c.PolicyFile = "/nowhere/at/all" },
		"targets": func(c *alerting.Config) {
			c.PolicyFile = h.file("policies: {sev1: {levels: [{at: 0s, target: x, via: [email]}]}}")
		},
		"polices":         func(c *alerting.Config) { c.PolicyFile = h.file("polices: {}") },
		"webhook.secret":  func(c *alerting.Config) { c.Webhook.Secret = "hunter2" },
		"webhook.url":     func(c *alerting.Config) { c.Webhook.URL = "ftp://x" },
		"smtp.tls":        func(c *alerting.Config) { c.SMTP.TLS = "maybe" },
		"smtp.port":       func(c *alerting.Config) { c.SMTP.Port = 0 },
		"smtp.from":       func(c *alerting.Config) { c.SMTP.From = "nobody" },
		"plain text":      func(c *alerting.Config) { c.SMTP.Host, c.SMTP.Password = "mail.example.com", "x" },
		"smtp.ca_file":    func(c *alerting.Config) { c.SMTP.CAFile = h.file("no certificate") },
		"senders":         func(c *alerting.Config) { c.Senders = 0 },
		"resolve_timeout": func(c *alerting.Config) { c.ResolveTimeout = 0 },
		"delivery_life":   func(c *alerting.Config) { c.DeliveryLife = -1 },
		"retention":       func(c *alerting.Config) { c.Retention = 0 },
		"http_max_body":   func(c *alerting.Config) { c.HTTPMaxBody = 1 },
		"database_url":    func(c *alerting.Config) { c.DatabaseURL = "" },
	} {
		c := h.config
		change(&c)
		_, err := alerting.New(c, alerting.Deps{})
		if err == nil || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("want %q, got %v", says, err)
		}
	}
}

// file writes a temporary file.
func (h *house) file(text string) string {
	h.Helper()
	f, err := os.CreateTemp(h.TempDir(), "policies-*.yaml")
	if err != nil {
		h.Fatal(err)
	}
	if _, err := f.WriteString(text); err != nil {
		h.Fatal(err)
	}
	return f.Name()
}
