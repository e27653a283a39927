package outbox_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/naksha-cloud/naksha/pkg/bus"
	"github.com/naksha-cloud/naksha/pkg/outbox"
	"github.com/naksha-cloud/naksha/pkg/sim"
)

// simRelay is the owner's database as one process of it sees it: outbox.RelayRecord and outbox.RelayLease.
type simRelay struct {
	o *simOwner
	p *sim.Process
}

func (r simRelay) Pending(ctx context.Context, except []int64, limit int) ([]outbox.Event, error) {
	return sim.Ask(ctx, r.p, "pending", func() (events []outbox.Event, _ error) {
		for _, seq := range slices.Sorted(maps.Keys(r.o.pending)) {
			if len(events) < limit && !slices.Contains(except, seq) {
				events = append(events, r.o.pending[seq])
			}
		}
		return events, nil
	})
}

func (r simRelay) Settle(ctx context.Context, holder uuid.UUID, published []int64, last uint64) (bool, error) {
	published = slices.Clone(published)
	return sim.Ask(ctx, r.p, fmt.Sprintf("settle %d", len(published)), func() (bool, error) {
		o := r.o
		if o.lease.Holder != holder {
			return false, nil
		}
		o.lease.Beat++
		was := o.mark
		var forgotten []outbox.Event
		for _, seq := range published {
			e, pending := o.pending[seq]
			if !o.published[seq] {
				o.w.Fail("fact %d is settled and was never in the stream", seq)
			}
			if pending {
				forgotten = append(forgotten, e)
				delete(o.pending, seq)
			}
		}
		if len(published) > 0 {
			o.mark = max(o.mark, last)
		}
		o.unsynced = append(o.unsynced, func() {
			o.mark = was
			for _, e := range forgotten {
				o.pending[e.Seq] = e
			}
		})
		return true, nil
	})
}

func (r simRelay) Last(ctx context.Context) (uint64, error) {
	return sim.Ask(ctx, r.p, "mark", func() (uint64, error) { return r.o.mark, nil })
}

func (r simRelay) Restore(ctx context.Context, holder uuid.UUID, kept time.Time, last uint64) (int64, bool, error) {
	type answer struct {
		facts int64
		held  bool
	}
	from := r.p.Clock().Now().Add(-time.Hour)
	if !kept.IsZero() {
		from = kept.Add(-10 * time.Minute)
	}
	a, err := sim.Ask(ctx, r.p, "restore", func() (a answer, _ error) {
		if a.held = r.o.lease.Holder == holder; !a.held {
			return a, nil
		}
		r.o.mark, r.o.unsynced = last, nil
		for aggregate, log := range r.o.log {
			for _, e := range log[r.o.gone[aggregate]:] {
				if _, pending := r.o.pending[e.Seq]; !pending && !e.At.Before(from) {
					r.o.pending[e.Seq] = e
					a.facts++
				}
			}
		}
		return a, nil
	})
	return a.facts, a.held, err
}

func (r simRelay) Knows(ctx context.Context, at time.Time, id uuid.UUID) (bool, error) {
	return sim.Ask(ctx, r.p, "look for a fact", func() (bool, error) {
		for _, log := range r.o.log {
			if slices.ContainsFunc(log, func(e outbox.Event) bool { return e.ID == id && e.At.Equal(at) }) {
				return true, nil
			}
		}
		return false, nil
	})
}

func (r simRelay) Look(ctx context.Context) (outbox.LeaseState, error) {
	return sim.Ask(ctx, r.p, "look at the lease", func() (outbox.LeaseState, error) { return r.o.lease, nil })
}

func (r simRelay) Take(ctx context.Context, seen outbox.LeaseState, holder uuid.UUID) (bool, error) {
	return sim.Ask(ctx, r.p, "take the lease", func() (bool, error) {
		if r.o.lease != seen {
			return false, nil
		}
		r.o.lease = outbox.LeaseState{Holder: holder, Beat: seen.Beat + 1}
		return true, nil
	})
}

func (r simRelay) Give(ctx context.Context, holder uuid.UUID) error {
	return sim.Tell(ctx, r.p, "give the lease", func() error {
		if r.o.lease.Holder == holder {
			r.o.lease = outbox.LeaseState{Beat: r.o.lease.Beat + 1}
		}
		return nil
	})
}

// simPublisher is the stream as a relay reaches it: outbox.RelayStream.
type simPublisher struct {
	s *simStream
	p *sim.Process
}

func (r simPublisher) Look(ctx context.Context) (bus.StreamState, error) {
	return sim.Ask(ctx, r.p, "look at the stream", func() (bus.StreamState, error) {
		return bus.StreamState{Last: r.s.last, Atomic: true}, nil
	})
}

func (r simPublisher) Headers(ctx context.Context, sequence uint64) (map[string]string, bool, error) {
	type answer struct {
		headers map[string]string
		ok      bool
	}
	a, err := sim.Ask(ctx, r.p, "headers", func() (answer, error) {
		m, ok := r.s.stored[sequence]
		return answer{m.Headers, ok}, nil
	})
	return a.headers, a.ok, err
}

func (r simPublisher) PublishBatch(ctx context.Context, last uint64, messages []bus.Message) (uint64, error) {
	return sim.Ask(ctx, r.p, fmt.Sprintf("publish a batch of %d", len(messages)), func() (uint64, error) {
		for _, m := range messages {
			if _, ok := r.s.duplicate(m); ok {
				return 0, bus.ErrDuplicate
			}
		}
		if r.s.last != last {
			return 0, bus.ErrMoved
		}
		for _, m := range messages {
			r.s.store(m)
		}
		return r.s.last, nil
	})
}

func (r simPublisher) PublishEach(ctx context.Context, last uint64, messages []bus.Message) []bus.Ack {
	if len(messages) == 0 {
		return nil
	}
	acks, err := sim.Ask(ctx, r.p, fmt.Sprintf("publish %d singly", len(messages)), func() ([]bus.Ack, error) {
		acks := make([]bus.Ack, len(messages))
		for i, m := range messages {
			acks[i] = r.one(last+uint64(i), m)
		}
		return acks, nil
	})
	if err != nil {
		acks = slices.Repeat([]bus.Ack{{Err: err}}, len(messages))
	}
	return acks
}

// one is what becomes of one message: the server looks at the expected last sequence first, then for a duplicate.
func (r simPublisher) one(last uint64, m bus.Message) bus.Ack {
	s := r.s
	if s.storm && s.w.Chance(50) {
		return bus.Ack{Err: errSimStream}
	}
	ack := bus.Ack{}
	if s.last != last {
		ack.Err = bus.ErrMoved
	} else if seq, ok := s.duplicate(m); ok {
		ack = bus.Ack{Sequence: seq, Duplicate: true}
	} else {
		ack.Sequence = s.store(m)
	}
	if s.storm && s.w.Chance(50) {
		return bus.Ack{Err: errSimStream}
	}
	return ack
}
