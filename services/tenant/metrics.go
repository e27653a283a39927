package tenant

import (
	"context"
	"fmt"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/naksha-cloud/naksha/services/tenant/internal/provision"
	"github.com/naksha-cloud/naksha/services/tenant/internal/watch"
)

// reports are told what is counted.
type reports struct {
	found func(context.Context, []provision.Finding) // differences between record and world
	ended func(context.Context, watch.Ended)         // sessions of a workspace that took too much
}

// measure registers what only this service can tell: how many slots there are, how record and world differ, and whose
// sessions were ended.
func (s *Service) measure() (r reports, err error) {
	meter := s.core.Telemetry().Meter.Meter("naksha/tenant")
	_, err = meter.Int64ObservableGauge("naksha.tenant.slots", metric.WithUnit("{slot}"),
		metric.WithDescription("Slots that are not claimed, by state: ready, building, abandoned."),
		metric.WithInt64Callback(s.observeSlots))
	if err != nil {
		return r, fmt.Errorf("make slot gauge: %w", err)
	}
	differences, err := meter.Int64Counter("naksha.tenant.reconcile.findings", metric.WithUnit("{finding}"),
		metric.WithDescription("Differences between the record and what exists in cells and regions, by reason."))
	if err != nil {
		return r, fmt.Errorf("make finding counter: %w", err)
	}
	ended, err := meter.Int64Counter("naksha.tenant.sessions.ended", metric.WithUnit("{session}"),
		metric.WithDescription("Customers' sessions that were ended for the others' sake, by reason: locks, holds_up_neighbour."))
	if err != nil {
		return r, fmt.Errorf("make session counter: %w", err)
	}
	r.found = func(ctx context.Context, findings []provision.Finding) {
		for _, f := range findings {
			differences.Add(ctx, 1, metric.WithAttributes(attribute.String("reason", f.What), attribute.String("where", f.Where)))
		}
	}
	r.ended = func(ctx context.Context, e watch.Ended) {
		ended.Add(ctx, int64(e.Sessions), metric.WithAttributes(attribute.String("reason", e.Reason)))
	}
	return r, nil
}

func (s *Service) observeSlots(ctx context.Context, o metric.Int64Observer) error {
	count, err := s.store.CountSlots(ctx, s.noun.ID)
	if err != nil {
		return nil //nolint:nilerr // a stopped database shows in readiness; the gauge just has no value
	}
	for state, n := range map[string]int{"ready": count.Ready, "building": count.Building, "abandoned": count.Abandoned} {
		o.Observe(int64(n), metric.WithAttributes(attribute.String("state", state)))
	}
	return nil
}
