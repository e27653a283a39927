package door

import (
	"context"
	"errors"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"google.golang.org/grpc/codes"

	"github.com/naksha-cloud/naksha/pkg/obs"
)

// meters are what the door measures of itself.
type meters struct {
	duration metric.Float64Histogram
}

func newMeters(t *obs.Telemetry) (*meters, error) {
	duration, err := t.Meter.Meter("naksha/gateway").Float64Histogram("naksha.gateway.call.duration",
		metric.WithDescription("Time from a call's headers to its reply, by resolved method, transport and code."), metric.WithUnit("s"))
	return &meters{duration: duration}, err
}

// call measures one call. What a stranger made up is no label: method is a resolved one, or "none".
func (m *meters) call(ctx context.Context, method, transport string, code codes.Code, took time.Duration) {
	if method == "" {
		method = "none"
	}
	m.duration.Record(ctx, took.Seconds(), metric.WithAttributes(attribute.String("rpc_method", method),
		attribute.String("transport", transport), attribute.String("code", code.String())))
}

// Attempts counts authentication attempts: naksha_auth_attempts_total.
type Attempts struct{ counter metric.Int64Counter }

// NewAttempts makes the counter.
func NewAttempts(t *obs.Telemetry) (*Attempts, error) {
	counter, err := t.Meter.Meter("naksha/gateway").Int64Counter("naksha.auth.attempts",
		metric.WithDescription("Attempts to authenticate, by outcome and reason."))
	return &Attempts{counter: counter}, errors.Join(err)
}

// Count counts one attempt.
func (a *Attempts) Count(outcome, reason string) {
	a.counter.Add(context.Background(), 1,
		metric.WithAttributes(attribute.String("outcome", outcome), attribute.String("reason", reason)))
}
