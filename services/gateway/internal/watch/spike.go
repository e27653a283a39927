package watch

import (
	"context"
	"log/slog"
	"time"

	"github.com/naksha-cloud/naksha/pkg/clock"
	"github.com/naksha-cloud/naksha/pkg/run"
	"github.com/naksha-cloud/naksha/services/gateway/internal/spike"
)

// looks is how often a window is looked at while it lasts.
const looks = 12

// Announcer tells the platform of a spike.
type Announcer interface {
	// AnnounceSpike emits c, unless a spike was announced within quiet.
	AnnounceSpike(ctx context.Context, c spike.Count, quiet time.Duration) (announced bool, err error)
}

// Spikes announces when too many keys are refused.
type Spikes struct {
	*run.Loop
	clock    clock.Clock
	rule     spike.Rule
	window   *spike.Window
	announce Announcer
	log      *slog.Logger
}

// NewSpikes watches window by rule.
func NewSpikes(rule spike.Rule, window *spike.Window, announce Announcer, c clock.Clock, log *slog.Logger) *Spikes {
	s := &Spikes{clock: c, rule: rule, window: window, announce: announce, log: log}
	s.Loop = run.Every(c, rule.Window/looks, s.look)
	return s
}

func (s *Spikes) look(ctx context.Context) {
	count := s.window.Count(s.clock.Now(), s.rule.Window)
	if !s.rule.Spiked(count) {
		return
	}
	announced, err := s.announce.AnnounceSpike(ctx, count, s.rule.Quiet)
	switch {
	case err != nil && ctx.Err() == nil:
		s.log.ErrorContext(ctx, "spike of refused keys could not be announced", "error", err)
	case announced:
		s.log.WarnContext(ctx, "keys are refused unusually often", "failures", count.Failures, "attempts", count.Attempts)
	}
}
