// Package watch is what the gateway does on its own account while calls pass: it looks whether too many keys are being
// refused, and whether another replica has heard of a revocation.
package watch

import (
	"context"
	"log/slog"
	"time"

	"github.com/naksha-cloud/naksha/pkg/clock"
	"github.com/naksha-cloud/naksha/pkg/run"
	"github.com/naksha-cloud/naksha/services/gateway/internal/key"
)

// A fact reaches one replica; the others read what it noted.
const (
	readEvery = time.Second      // when no poke comes
	lookBack  = 2 * time.Minute  // longer than an answer is remembered, and than a transaction takes to commit
	keepFor   = 10 * time.Minute // how long a revocation is kept
)

// Log is where revocations are noted.
type Log interface {
	// Revocations are those heard of after since.
	Revocations(ctx context.Context, since time.Time) ([]key.Revocation, error)
	// ForgetRevocations drops those heard of before a moment.
	ForgetRevocations(ctx context.Context, before time.Time) error
}

// Revocations makes this replica forget the keys whose revocation another one has heard of.
type Revocations struct {
	*run.Loop
	clock  clock.Clock
	log    Log
	forget func(r key.Revocation)
	out    *slog.Logger
	seen   map[int64]time.Time
	swept  time.Time
}

// NewRevocations follows log and tells forget of each revocation once.
func NewRevocations(log Log, forget func(r key.Revocation), c clock.Clock, out *slog.Logger) *Revocations {
	r := &Revocations{clock: c, log: log, forget: forget, out: out, seen: map[int64]time.Time{}}
	r.Loop = run.Every(c, readEvery, r.look)
	return r
}

func (r *Revocations) look(ctx context.Context) {
	now := r.clock.Now()
	found, err := r.log.Revocations(ctx, now.Add(-lookBack))
	if err != nil {
		if ctx.Err() == nil {
			r.out.ErrorContext(ctx, "revocations could not be read", "error", err)
		}
		return
	}
	for _, revocation := range found {
		if _, ok := r.seen[revocation.Seq]; !ok {
			r.seen[revocation.Seq] = revocation.At
			r.forget(revocation)
		}
	}
	r.sweep(ctx, now)
}

// sweep drops, now and then, what nobody needs any more.
func (r *Revocations) sweep(ctx context.Context, now time.Time) {
	if now.Sub(r.swept) < keepFor {
		return
	}
	r.swept = now
	for seq, at := range r.seen {
		if now.Sub(at) > keepFor {
			delete(r.seen, seq)
		}
	}
	if err := r.log.ForgetRevocations(ctx, now.Add(-keepFor)); err != nil && ctx.Err() == nil {
		r.out.WarnContext(ctx, "old revocations could not be dropped", "error", err)
	}
}
