package service

import (
	"context"
	"fmt"
	"sync"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/naksha-cloud/naksha/pkg/clock"
	"github.com/naksha-cloud/naksha/pkg/outbox"
	"github.com/naksha-cloud/naksha/pkg/run"
	alertingv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/alerting/v1"
)

const (
	troubleEvery = 15 * time.Second // between two looks
	troubleLife  = 5 * time.Minute  // of an alert that is not told again: the service itself may be gone
	calm         = 15 * time.Minute // after which a fault that was mended is over
)

// The alerts that every service raises about its own facts.
const (
	factsLost         = "FactsLostOnTheBus"
	deadLettersWait   = "DeadLettersWaiting"
	consumerRestarted = "ConsumerRestarted"
	streamNearlyFull  = "StreamNearlyFull"
)

// trouble is one alert, by its name and the service whose facts it is about.
type trouble struct{ alert, owner string }

// troubles tells alerting what the inboxes found, as Prometheus would: again and again while it lasts.
type troubles struct {
	*run.Loop
	core *Core

	mu   sync.Mutex
	last map[trouble]time.Time // when it was seen last
	text map[trouble]string
}

func newTroubles(c *Core) *troubles {
	t := &troubles{core: c, last: map[trouble]time.Time{}, text: map[trouble]string{}}
	t.Loop = run.NewLoop(t.run)
	return t
}

// seen notes a fault that was found and mended.
func (t *troubles) seen(what trouble, text string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.last[what], t.text[what] = t.core.Clock.Now(), text
}

// found turns an inbox' finding into trouble. Dead letters last for as long as they are there, which look sees.
func (t *troubles) found(owner string, f outbox.Finding) {
	switch f.Reason {
	case outbox.Gap, outbox.Unreached:
		t.seen(trouble{factsLost, owner}, fmt.Sprintf("%d facts of %s were missing on the bus and fetched from its record", f.Facts, owner))
	case outbox.Altered:
		t.seen(trouble{factsLost, owner}, fmt.Sprintf("a message of %s was not what it recorded, and was dropped", owner))
	}
}

func (t *troubles) run(ctx context.Context) {
	for clock.Sleep(ctx, t.core.Clock, troubleEvery) == nil {
		if err := t.look(ctx); err != nil {
			t.core.Log.DebugContext(ctx, "alerting was not told", "error", err)
		}
	}
}

// look tells alerting what lasts and what has ended.
func (t *troubles) look(ctx context.Context) error {
	letters, err := outbox.CountLetters(ctx, t.core.Pool)
	if err != nil {
		return err
	}
	if letters > 0 {
		t.seen(trouble{deadLettersWait, ""}, fmt.Sprintf("%d dead letters of %s wait: see `naksha dead-letter list %s`",
			letters, t.core.Name, t.core.Name))
	}
	t.lookAtStream(ctx)
	alerts := t.alerts(letters)
	if len(alerts) == 0 {
		return nil
	}
	if err := t.post(ctx, alerts); err != nil {
		return err
	}
	t.forget(alerts)
	return nil
}

// report is one trouble as an alert.
type report struct {
	of    trouble
	alert *alertingv1.Alert
	ended bool
}

// lookAtStream warns while facts still flow. A broker that does not answer is reported elsewhere.
func (t *troubles) lookAtStream(ctx context.Context) {
	state, err := t.core.Bus.Stream(t.core.Name).Look(ctx)
	if err == nil && state.Bytes > state.Bound/10*8 {
		t.seen(trouble{streamNearlyFull, ""}, fmt.Sprintf("the facts of %s take %d of %d MiB in NATS; when it is full, none are published",
			t.core.Name, state.Bytes>>20, state.Bound>>20))
	}
}

func (t *troubles) alerts(letters int64) (alerts []report) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.core.Clock.Now()
	for what, last := range t.last {
		ended := now.Sub(last) > calm || what.alert == deadLettersWait && letters == 0
		end := now.Add(troubleLife)
		if ended {
			end = now
		}
		labels := map[string]string{"alertname": what.alert, "severity": "sev3", "area": "platform", "service": t.core.Name}
		if what.owner != "" {
			labels["owner"] = what.owner
		}
		alerts = append(alerts, report{what, &alertingv1.Alert{
			Labels: labels, Annotations: map[string]string{"summary": t.text[what]}, EndTime: timestamppb.New(end),
		}, ended})
	}
	return alerts
}

func (t *troubles) post(ctx context.Context, alerts []report) error {
	conn, err := t.core.Peer("alerting")
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	request := &alertingv1.CreateAlertsRequest{}
	for _, a := range alerts {
		request.Alerts = append(request.Alerts, a.alert)
	}
	_, err = alertingv1.NewAlertServiceClient(conn).CreateAlerts(ctx, request)
	return err
}

// forget what has ended, and alerting knows it.
func (t *troubles) forget(alerts []report) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, a := range alerts {
		if a.ended {
			delete(t.last, a.of)
			delete(t.text, a.of)
		}
	}
}
