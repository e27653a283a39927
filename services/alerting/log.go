package alerting

import (
	"context"
	"log/slog"
	"time"

	"github.com/naksha-cloud/naksha/pkg/pg"
	"github.com/naksha-cloud/naksha/services/alerting/internal/delivery"
	"github.com/naksha-cloud/naksha/services/alerting/internal/escalate"
	"github.com/naksha-cloud/naksha/services/alerting/internal/event"
	"github.com/naksha-cloud/naksha/services/alerting/internal/incident"
)

// emitter records an incident's facts, and logs each once it is durable.
func (s *Service) emitter() escalate.Emit {
	emit := event.Emitter(s.core.Outbox)
	return func(ctx context.Context, tx *pg.Tx, fact any) error {
		tx.AfterCommit(func() { s.logFact(ctx, fact) })
		return emit(ctx, tx, fact)
	}
}

func (s *Service) logFact(ctx context.Context, fact any) {
	switch f := fact.(type) {
	case incident.Opened:
		s.core.Log.InfoContext(ctx, "incident opened", "incident", f.Incident, "severity", f.Severity, "title", f.Title)
	case incident.Escalated:
		s.core.Log.InfoContext(ctx, "incident escalated", "incident", f.Incident, "level", f.Level)
	case incident.WasAcknowledged:
		s.core.Log.InfoContext(ctx, "incident acknowledged", "incident", f.Incident, "by", f.By)
	case incident.WasResolved:
		s.core.Log.InfoContext(ctx, "incident resolved", "incident", f.Incident)
	}
}

// delivered measures and logs an attempt that ended. A failure is a warning: the next try, or the next level, follows.
func (s *Service) delivered(ctx context.Context, d delivery.Delivery, outcome delivery.Outcome, took time.Duration, cause error) {
	s.metrics.delivered(ctx, d, outcome, took)
	level, attrs := slog.LevelInfo, []any{
		"delivery", d.ID, "incident", d.Incident, "kind", string(d.Kind), "target", d.Target, "channel", d.Channel,
		"attempt", d.Attempts, "outcome", string(outcome), "duration", took,
	}
	if cause != nil {
		level, attrs = slog.LevelWarn, append(attrs, "error", cause)
	}
	s.core.Log.Log(ctx, level, "message tried", attrs...)
}
