package service

import (
	"context"
	"fmt"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/naksha-cloud/naksha/pkg/obs"
	"github.com/naksha-cloud/naksha/pkg/outbox"
	"github.com/naksha-cloud/naksha/pkg/pg"
)

// metrics are what every service measures of its own record.
type metrics struct {
	gaps metric.Int64Counter
}

func newMetrics(t *obs.Telemetry, relay *outbox.Relay, pool *pg.Pool) (*metrics, error) {
	meter := t.Meter.Meter("naksha/service")
	gaps, err := meter.Int64Counter("naksha.inbox.gap.repaired",
		metric.WithDescription("Facts that the bus had lost and that were fetched from their owner."), metric.WithUnit("{fact}"))
	if err != nil {
		return nil, fmt.Errorf("make gap counter: %w", err)
	}
	_, err = meter.Float64ObservableGauge("naksha.outbox.lag",
		metric.WithDescription("Age of the oldest fact that is not yet published."), metric.WithUnit("s"),
		metric.WithFloat64Callback(func(ctx context.Context, o metric.Float64Observer) error {
			_, oldest, err := relay.Lag(ctx)
			if err != nil {
				return nil //nolint:nilerr // a stopped database shows in readiness; the gauge just has no value
			}
			if oldest == nil {
				o.Observe(0)
			} else {
				o.Observe(pool.Now().Sub(*oldest).Seconds())
			}
			return nil
		}))
	if err != nil {
		return nil, fmt.Errorf("make lag gauge: %w", err)
	}
	return &metrics{gaps: gaps}, nil
}

func (m *metrics) missed(owner string) func(aggregate string, facts int) {
	return func(_ string, facts int) {
		m.gaps.Add(context.Background(), int64(facts), metric.WithAttributes(attribute.String("owner", owner)))
	}
}
