package service

import (
	"context"
	"fmt"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/naksha-cloud/naksha/pkg/bus"
	"github.com/naksha-cloud/naksha/pkg/obs"
	"github.com/naksha-cloud/naksha/pkg/outbox"
	"github.com/naksha-cloud/naksha/pkg/pg"
)

// metrics are what every service measures of its own record, and of what it takes from others.
type metrics struct {
	repaired, altered, buried, restarted metric.Int64Counter
}

func newMetrics(t *obs.Telemetry, relay *outbox.Relay, pool *pg.Pool) (*metrics, error) {
	meter := t.Meter.Meter("naksha/service")
	m := &metrics{}
	for _, c := range []struct {
		counter                 *metric.Int64Counter
		name, description, unit string
	}{
		{&m.repaired, "naksha.inbox.gap.repaired", "Facts that the bus had lost and that were fetched from their owner.", "{fact}"},
		{&m.altered, "naksha.inbox.altered", "Messages that were not what their owner recorded.", "{message}"},
		{&m.buried, "naksha.inbox.dead_letter", "Facts that became dead letters.", "{fact}"},
		{&m.restarted, "naksha.consumer.restarted", "Times that a consumer attached anew because something was wrong.", "{time}"},
	} {
		var err error
		if *c.counter, err = meter.Int64Counter(c.name, metric.WithDescription(c.description), metric.WithUnit(c.unit)); err != nil {
			return nil, fmt.Errorf("make counter %s: %w", c.name, err)
		}
	}
	if err := relay.Measure(meter); err != nil {
		return nil, fmt.Errorf("make metrics of the relay: %w", err)
	}
	_, err := meter.Int64ObservableGauge("naksha.inbox.dead_letter.waiting",
		metric.WithDescription("Dead letters that wait to be replayed or dropped."), metric.WithUnit("{fact}"),
		metric.WithInt64Callback(func(ctx context.Context, o metric.Int64Observer) error {
			if n, err := outbox.CountLetters(ctx, pool); err == nil {
				o.Observe(n)
			}
			return nil
		}))
	if err != nil {
		return nil, fmt.Errorf("make gauge of dead letters: %w", err)
	}
	return m, nil
}

// found counts what an inbox of an owner's facts found.
func (m *metrics) found(owner string, f outbox.Finding) {
	ctx := context.Background()
	by := metric.WithAttributes(attribute.String("owner", owner), attribute.String("reason", string(f.Reason)))
	switch f.Reason {
	case outbox.Gap, outbox.Unreached:
		m.repaired.Add(ctx, int64(f.Facts), by)
	case outbox.Altered:
		m.altered.Add(ctx, int64(f.Facts), by)
	case outbox.DeadLetter:
		m.buried.Add(ctx, int64(f.Facts), by)
	}
}

func (m *metrics) attached(owner string, why bus.Reason) {
	m.restarted.Add(context.Background(), 1,
		metric.WithAttributes(attribute.String("owner", owner), attribute.String("reason", string(why))))
}
