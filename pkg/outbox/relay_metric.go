package outbox

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/metric"
)

// Lag is how many facts wait, and since when the oldest does.
func (r *Relay) Lag(ctx context.Context) (waiting int64, oldest *time.Time, err error) {
	err = r.config.Pool.QueryRow(ctx, query("pending_age")).Scan(&waiting, &oldest)
	return waiting, oldest, err
}

// Stats returns what this replica's pump did since it was made.
func (r *Relay) Stats() PumpStats {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.stats
}

// Measure registers the relay's metrics.
func (r *Relay) Measure(m metric.Meter) error {
	backlog, err := m.Int64ObservableGauge("naksha.outbox.backlog",
		metric.WithDescription("Facts that are recorded and not yet acknowledged by the bus."), metric.WithUnit("{fact}"))
	if err != nil {
		return err
	}
	lag, err := m.Float64ObservableGauge("naksha.outbox.lag",
		metric.WithDescription("Age of the oldest fact that is not yet published."), metric.WithUnit("s"))
	if err != nil {
		return err
	}
	_, err = m.RegisterCallback(func(ctx context.Context, o metric.Observer) error {
		waiting, oldest, err := r.Lag(ctx)
		if err != nil {
			return nil //nolint:nilerr // a stopped database shows in readiness; the gauges just have no value
		}
		age := 0.0
		if oldest != nil {
			age = r.config.Pool.Now().Sub(*oldest).Seconds()
		}
		o.ObserveInt64(backlog, waiting)
		o.ObserveFloat64(lag, age)
		return nil
	}, backlog, lag)
	if err != nil {
		return err
	}
	return r.count(m)
}

func (r *Relay) count(m metric.Meter) error {
	for _, counter := range []struct {
		name, unit, text string
		value            func(PumpStats) int64
	}{
		{"published", "{fact}", "Facts that the bus acknowledged.", func(s PumpStats) int64 { return s.Published }},
		{"batches", "{batch}", "Atomic batches that the bus acknowledged.", func(s PumpStats) int64 { return s.Batches }},
		{"retries", "{try}", "Steps of the relay that failed and were repeated.", func(s PumpStats) int64 { return s.Retries }},
		{"takeovers", "{takeover}", "Times this replica took over from one that stood still.", func(s PumpStats) int64 { return s.Takeovers }},
		{"resets", "{reset}", "Times the stream had lost what it acknowledged.", func(s PumpStats) int64 { return s.Resets }},
	} {
		_, err := m.Int64ObservableCounter("naksha.outbox."+counter.name, metric.WithDescription(counter.text),
			metric.WithUnit(counter.unit), metric.WithInt64Callback(func(_ context.Context, o metric.Int64Observer) error {
				o.Observe(counter.value(r.Stats()))
				return nil
			}))
		if err != nil {
			return err
		}
	}
	return nil
}
