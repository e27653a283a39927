// Package channeltest is what every channel has to pass, whoever the provider is: a message arrives whole and under its
// id, a repeat carries the same id, and a refusal for good is told apart from one that may pass.
package channeltest

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/naksha-cloud/naksha/pkg/local/localtest"
	"github.com/naksha-cloud/naksha/services/alerting/internal/channel"
	"github.com/naksha-cloud/naksha/services/alerting/internal/policy"
)

// Behavior is how a provider treats the next message.
type Behavior int

// The behaviors.
const (
	Accept  Behavior = iota
	Busy             // refuses for now
	Refuse           // refuses for good
	Hang             // takes the connection and says nothing more
	HangUp           // breaks the connection off in the middle
	Forward          // sends the caller to another host, if the protocol can
)

// Received is a message as the provider took it.
type Received struct {
	ID   string // the delivery's
	Text string // all of it that people can read
}

// Provider is a test's own provider of the channel.
type Provider interface {
	// Address is where it takes messages.
	Address() policy.Address
	// Behave sets how it treats messages from now on.
	Behave(b Behavior)
	// Received are the messages that it took, in order.
	Received() []Received
}

// Message is a page with everything in it, hostile text included.
func Message(id string) channel.Message {
	at := time.Date(2026, 11, 25, 10, 0, 0, 0, time.UTC)
	return channel.Message{
		ID: id, Kind: "page", Target: "platform-oncall", Cycle: 1, Level: 2, Late: 90 * time.Second, Created: at,
		Incident: channel.Incident{
			ID: "0197a2c0-0000-7000-8000-000000000001", Severity: "sev1", Status: "triggered",
			Title: "disk <b>full</b> ελ 🔥", GroupKey: `{alertname="Disk"}`, OpenedAt: at.Add(-time.Minute),
			RunbookURL: "https://runbooks.example/disk",
		},
		Alerts: []channel.Alert{{
			Labels: map[string]string{"alertname": "Disk", "path": "/a\r\nBcc: thief@example.com"}, StartsAt: at, Firing: true,
			Annotations: map[string]string{"summary": "{{.}} <script>alert(1)</script>"},
		}},
	}
}

// Run holds a channel to the common promises. start makes a fresh channel and its provider.
func Run(t *testing.T, start func(t *testing.T) (channel.Channel, Provider)) {
	t.Helper()
	for name, check := range map[string]func(*testing.T, channel.Channel, Provider){
		"delivers whole, and repeats under the same id": delivers,
		"tells refusals apart":                          refuses,
		"gives up at its deadline":                      hangs,
		"an unreachable provider may come back":         unreachable,
		"follows nobody to another host":                forwards,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, p := start(t)
			check(t, c, p)
		})
	}
}

// send sends a message to a provider that answers.
func send(t *testing.T, c channel.Channel, to policy.Address, id string) error {
	t.Helper()
	return sendWithin(t, localtest.Patience, c, to, id)
}

func sendWithin(t *testing.T, limit time.Duration, c channel.Channel, to policy.Address, id string) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	return c.Send(ctx, to, Message(id))
}

func delivers(t *testing.T, c channel.Channel, p Provider) {
	for _, id := range []string{"d1", "d1", "d2"} {
		if err := send(t, c, p.Address(), id); err != nil {
			t.Fatal(err)
		}
	}
	got := p.Received()
	if len(got) != 3 || got[0].ID != "d1" || got[1].ID != "d1" || got[2].ID != "d2" {
		t.Fatalf("arrived %v", got)
	}
	for _, part := range []string{"ελ 🔥", "0197a2c0-0000-7000-8000-000000000001", "platform-oncall", "runbooks.example"} {
		if !strings.Contains(got[0].Text, part) {
			t.Errorf("%q is missing in %s", part, got[0].Text)
		}
	}
}

func refuses(t *testing.T, c channel.Channel, p Provider) {
	for behavior, permanent := range map[Behavior]bool{Busy: false, Refuse: true, HangUp: false} {
		p.Behave(behavior)
		err := send(t, c, p.Address(), "d1")
		if err == nil || channel.Permanent(err) != permanent {
			t.Errorf("behavior %d: %v; want permanent %v", behavior, err, permanent)
		}
		if secret := p.Address().Secret.Reveal(); err != nil && secret != "" && strings.Contains(err.Error(), secret) {
			t.Errorf("the error shows the secret: %v", err)
		}
	}
	p.Behave(Accept)
	if err := send(t, c, p.Address(), "d1"); err != nil {
		t.Error(err)
	}
}

func hangs(t *testing.T, c channel.Channel, p Provider) {
	p.Behave(Hang)
	begin := time.Now()
	err := sendWithin(t, 5*time.Second, c, p.Address(), "d1")
	if err == nil || channel.Permanent(err) || time.Since(begin) > localtest.Bar(12*time.Second) {
		t.Errorf("after %v: %v", time.Since(begin), err)
	}
}

func unreachable(t *testing.T, c channel.Channel, p Provider) {
	to := p.Address()
	if strings.HasPrefix(to.To, "http") {
		to.To = "http://127.0.0.1:1" // a port that nobody is given
	} else {
		p.Behave(HangUp)
	}
	if err := send(t, c, to, "d1"); err == nil || channel.Permanent(err) {
		t.Errorf("%v", err)
	}
}

func forwards(t *testing.T, c channel.Channel, p Provider) {
	p.Behave(Forward)
	if err := send(t, c, p.Address(), "d1"); err == nil || !channel.Permanent(err) {
		t.Errorf("%v", err)
	}
	if got := p.Received(); len(got) != 0 {
		t.Errorf("arrived %v", got)
	}
}
