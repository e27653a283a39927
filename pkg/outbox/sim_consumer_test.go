package outbox_test

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"time"

	"github.com/naksha-cloud/naksha/pkg/bus"
	"github.com/naksha-cloud/naksha/pkg/outbox"
	"github.com/naksha-cloud/naksha/pkg/pg"
	"github.com/naksha-cloud/naksha/pkg/sim"
	tenantv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/tenant/v1"
)

// simSubscription is the durable consumer as one process reaches it: outbox.Stream, and what package bus does.
type simSubscription struct {
	s *simStream
	p *sim.Process
}

// fetch hands out what is due again, and then what is new.
func (b simSubscription) fetch(ctx context.Context) ([]bus.Delivery, error) {
	return sim.Ask(ctx, b.p, "fetch", func() (out []bus.Delivery, _ error) {
		s, now := b.s, b.s.w.Now()
		for _, seq := range slices.Sorted(maps.Keys(s.unsure)) {
			if !s.unsure[seq].again.After(now) && len(out) < simFetch {
				out = append(out, s.hand(seq))
			}
		}
		for ; s.next <= s.last && len(out) < simFetch; s.next++ {
			if _, ok := s.stored[s.next]; ok {
				s.unsure[s.next] = &simHanded{}
				out = append(out, s.hand(s.next))
			}
		}
		return out, nil
	})
}

func (s *simStream) hand(seq uint64) bus.Delivery {
	h := s.unsure[seq]
	h.attempts++
	h.again = s.w.Now().Add(simAckWait)
	m := s.stored[seq]
	m.Headers = maps.Clone(m.Headers)
	return bus.Delivery{Message: m, Sequence: seq, Attempt: h.attempts}
}

// settle carries a verdict out, as package bus does.
func (b simSubscription) settle(ctx context.Context, d bus.Delivery, verdict error) {
	_ = sim.Tell(ctx, b.p, "acknowledge", func() error {
		h := b.s.unsure[d.Sequence]
		switch {
		case h == nil:
		case verdict == nil, bus.Rejected(verdict):
			delete(b.s.unsure, d.Sequence)
		default:
			h.again = b.s.w.Now().Add(bus.Delay(verdict, d.Attempt))
		}
		return nil
	})
}

// Last is the stream's last sequence.
func (b simSubscription) Last(ctx context.Context) (uint64, error) {
	return sim.Ask(ctx, b.p, "last sequence", func() (uint64, error) { return b.s.last, nil })
}

// Passed says whether all up to a sequence was handed out and acknowledged.
func (b simSubscription) Passed(ctx context.Context, sequence uint64) (bool, error) {
	return sim.Ask(ctx, b.p, "passed", func() (bool, error) {
		for seq := range b.s.unsure {
			if seq <= sequence {
				return false, nil
			}
		}
		return b.s.next > sequence || b.s.last < sequence, nil
	})
}

// errSimReaction is a reaction's trouble that may pass.
var errSimReaction = errors.New("not now")

// react is what the service does about a fact, within the transaction in hand.
func (in *simInbox) react(meta outbox.Meta, snapshot bool) error {
	switch {
	case in.poison[meta.ID]:
		return bus.Reject(errors.New("cannot be handled"))
	case in.storm && in.w.Chance(30):
		return errSimReaction
	case in.storm && in.w.Chance(60):
		in.poison[meta.ID] = true
		return bus.Reject(errors.New("cannot be handled"))
	}
	in.current.effects = append(in.current.effects, simEffect{meta, snapshot})
	return nil
}

// intake is the real decisions of one process on fake parts.
func (h *simHouse) intake(p *sim.Process) *outbox.Intake {
	config := outbox.IntakeConfig{
		Consumer: "TENANT/backup", Ledger: simLedger{h.inbox, p, h.flawed}, Clock: p.Clock(), Log: slog.New(slog.DiscardHandler),
		Stream: simSubscription{h.stream, p}, Owner: simDoor{h.owner, p}, Patience: 250 * time.Millisecond,
		Report: func(f outbox.Finding) { h.reached.found.Store(f.Reason, true) },
		Reactions: []outbox.Reaction{
			outbox.On(func(_ context.Context, _ *pg.Tx, meta outbox.Meta, _ *tenantv1.WorkspaceCreated) error {
				return h.inbox.react(meta, false)
			}),
			outbox.On(func(_ context.Context, _ *pg.Tx, meta outbox.Meta, _ *tenantv1.WorkspaceSnapshotted) error {
				return h.inbox.react(meta, true)
			}),
		},
	}
	if h.deaf {
		config.Owner = nil
	}
	return outbox.NewIntake(config)
}
