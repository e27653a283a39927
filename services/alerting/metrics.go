package alerting

import (
	"context"
	"fmt"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/naksha-cloud/naksha/pkg/obs"
	"github.com/naksha-cloud/naksha/services/alerting/internal/delivery"
	"github.com/naksha-cloud/naksha/services/alerting/internal/store"
)

// metrics are what the service measures: its work, and the invariants that should be 0. As a component it observes the
// tables from start to stop, so that a stopped service shows no stale gauge.
type metrics struct {
	meter      metric.Meter
	store      *store.Store
	ingest     metric.Int64Counter
	deliveries metric.Int64Counter
	delivery   metric.Float64Histogram
	attempt    metric.Float64Histogram
	lateness   metric.Float64Histogram
	gauges     gauges

	mu    sync.Mutex
	watch metric.Registration
}

// gauges are read from the tables.
type gauges struct {
	unguarded, pastDeadline, ambiguous, unattempted, incidents metric.Int64ObservableGauge
	oldestTimer                                                metric.Float64ObservableGauge
}

func newMetrics(t *obs.Telemetry, s *store.Store) (*metrics, error) {
	m := &metrics{meter: t.Meter.Meter("naksha/alerting"), store: s}
	var err error
	counter := func(name, what, unit string) (c metric.Int64Counter) {
		if err == nil {
			c, err = m.meter.Int64Counter(name, metric.WithDescription(what), metric.WithUnit(unit))
		}
		return c
	}
	seconds := func(name, what string) (h metric.Float64Histogram) {
		if err == nil {
			h, err = m.meter.Float64Histogram(name, metric.WithDescription(what), metric.WithUnit("s"))
		}
		return h
	}
	m.ingest = counter("naksha.alerting.ingest", "Alerts received, by outcome.", "{alert}")
	m.deliveries = counter("naksha.alerting.deliveries", "Attempts to deliver, by channel and outcome.", "{attempt}")
	m.delivery = seconds("naksha.alerting.delivery", "How long an attempt took.")
	m.attempt = seconds("naksha.alerting.alert_to_attempt", "From the decision to page until the first attempt ended.")
	m.lateness = seconds("naksha.alerting.timer_lateness", "How late a timer was dealt with.")
	if err == nil {
		err = m.makeGauges()
	}
	if err != nil {
		return nil, fmt.Errorf("make metrics: %w", err)
	}
	return m, nil
}

func (m *metrics) makeGauges() (err error) {
	gauge := func(name, what, unit string) (g metric.Int64ObservableGauge) {
		if err == nil {
			g, err = m.meter.Int64ObservableGauge(name, metric.WithDescription(what), metric.WithUnit(unit))
		}
		return g
	}
	m.gauges.unguarded = gauge("naksha.alerting.open_unacked_without_timer",
		"Open, unacknowledged incidents that nothing will look at again; must be 0.", "{incident}")
	m.gauges.pastDeadline = gauge("naksha.alerting.deliveries_past_deadline", "Messages that wait after their deadline.", "{message}")
	m.gauges.ambiguous = gauge("naksha.alerting.ambiguous_older_than_60s", "Attempts without an outcome for a minute.", "{attempt}")
	m.gauges.unattempted = gauge("naksha.alerting.accepted_without_attempt", "Messages taken without an attempt's row; must be 0.", "{message}")
	m.gauges.incidents = gauge("naksha.alerting.incidents", "Open incidents.", "{incident}")
	if err == nil {
		m.gauges.oldestTimer, err = m.meter.Float64ObservableGauge("naksha.alerting.oldest_due_timer",
			metric.WithDescription("How long the oldest due timer has waited."), metric.WithUnit("s"))
	}
	return err
}

// Start begins to observe the tables.
func (m *metrics) Start(context.Context) (err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.watch == nil {
		g := m.gauges
		m.watch, err = m.meter.RegisterCallback(m.observe, g.unguarded, g.pastDeadline, g.ambiguous, g.unattempted, g.incidents, g.oldestTimer)
	}
	return err
}

// Stop ends it.
func (m *metrics) Stop(context.Context) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.watch == nil {
		return nil
	}
	watch := m.watch
	m.watch = nil
	return watch.Unregister()
}

func (m *metrics) observe(ctx context.Context, o metric.Observer) error {
	h, err := m.store.Health(ctx)
	if err != nil {
		return nil //nolint:nilerr // a stopped database shows in readiness; the gauges just have no value
	}
	o.ObserveInt64(m.gauges.unguarded, h.Unguarded)
	o.ObserveInt64(m.gauges.pastDeadline, h.PastDeadline)
	o.ObserveInt64(m.gauges.ambiguous, h.Ambiguous)
	o.ObserveInt64(m.gauges.unattempted, h.Unattempted)
	late := 0.0
	if h.OldestTimer != nil {
		late = max(0, m.store.Now().Sub(*h.OldestTimer).Seconds())
	}
	o.ObserveFloat64(m.gauges.oldestTimer, late)
	counts, err := m.store.OpenCounts(ctx)
	if err != nil {
		return nil //nolint:nilerr // as above
	}
	for _, c := range counts {
		o.ObserveInt64(m.gauges.incidents, c.N, metric.WithAttributes(
			attribute.String("severity", c.Severity.String()), attribute.String("status", string(c.Status))))
	}
	return nil
}

func (m *metrics) ingested(outcome string, alerts int64) {
	m.ingest.Add(context.Background(), alerts, metric.WithAttributes(attribute.String("outcome", outcome)))
}

func (m *metrics) late(d time.Duration) { m.lateness.Record(context.Background(), max(0, d.Seconds())) }

func (m *metrics) delivered(ctx context.Context, d delivery.Delivery, outcome delivery.Outcome, took time.Duration) {
	by := attribute.String("channel", d.Channel)
	m.deliveries.Add(ctx, 1, metric.WithAttributes(by, attribute.String("outcome", string(outcome))))
	m.delivery.Record(ctx, took.Seconds(), metric.WithAttributes(by))
	if d.Kind == delivery.Page && d.Attempts == 1 {
		m.attempt.Record(ctx, max(0, m.store.Now().Sub(d.CreatedAt).Seconds()), metric.WithAttributes(by))
	}
}
