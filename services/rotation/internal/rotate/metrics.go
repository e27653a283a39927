package rotate

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/naksha-cloud/naksha/pkg/obs"
	"github.com/naksha-cloud/naksha/services/rotation/internal/rotation"
)

type metrics struct {
	steps           metric.Int64Counter
	active, blocked metric.Int64Gauge
	age             metric.Float64Gauge
}

func newMetrics(t *obs.Telemetry) (*metrics, error) {
	meter := t.Meter.Meter("naksha/rotation")
	steps, err1 := meter.Int64Counter("naksha.rotation.steps",
		metric.WithDescription("Steps of rotations by action, reason and outcome."), metric.WithUnit("{step}"))
	active, err2 := meter.Int64Gauge("naksha.rotation.active",
		metric.WithDescription("Rotations under way."), metric.WithUnit("{rotation}"))
	blocked, err3 := meter.Int64Gauge("naksha.rotation.blocked",
		metric.WithDescription("Rotations that wait for a person."), metric.WithUnit("{rotation}"))
	age, err4 := meter.Float64Gauge("naksha.credential.age",
		metric.WithDescription("Age of the oldest active generation."), metric.WithUnit("s"))
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		return nil, fmt.Errorf("make metrics: %w", err)
	}
	return &metrics{steps: steps, active: active, blocked: blocked, age: age}, nil
}

func (m *metrics) step(ctx context.Context, d rotation.Decision, outcome string) {
	m.steps.Add(ctx, 1, metric.WithAttributes(attribute.String("action", string(d.Action)),
		attribute.String("reason", string(d.Reason)), attribute.String("outcome", outcome)))
}

func (m *metrics) survey(ctx context.Context, s Survey, now time.Time) {
	m.active.Record(ctx, s.Active)
	m.blocked.Record(ctx, s.Blocked)
	if !s.OldestAt.IsZero() {
		m.age.Record(ctx, now.Sub(s.OldestAt).Seconds())
	}
}
