package outbox

import (
	"context"
	"errors"
	"time"

	"github.com/naksha-cloud/naksha/pkg/bus"
)

// relay publishes what was read while the database forgets what was published before and reads more.
func (p *Pump) relay(ctx context.Context) (time.Duration, error) {
	var sent sending
	var turn turned
	chunk := p.ahead
	p.config.Both(
		func() { sent = p.publish(ctx, chunk, p.ready) },
		func() { turn = p.turn(ctx, chunk) },
	)
	p.behind = turn.behind
	p.book(sent)
	if turn.lost {
		p.lose()
		return 0, nil
	}
	if err := errors.Join(sent.err, turn.err); err != nil {
		return 0, err
	}
	p.ahead, p.ready = turn.next, turn.ready
	if len(chunk) > 0 || len(p.ahead) > 0 {
		return 0, nil
	}
	p.failures = 0
	return beatEvery, nil
}

// turned is what became of one visit to the database.
type turned struct {
	behind []int64 // still to be settled
	next   []Event
	ready  []bus.Message // next as a batch, if it is one: made while the stream works
	lost   bool          // the lease is another's
	err    error
}

// turn settles what was acknowledged before, or just counts the beat up, and reads on behind the facts in hand.
func (p *Pump) turn(ctx context.Context, inHand []Event) turned {
	if now := p.config.Now(); len(p.behind) > 0 || now.Sub(p.beatAt) >= beatEvery {
		held, err := p.config.Record.Settle(ctx, p.holder, p.behind, p.last)
		if err != nil || !held {
			return turned{behind: p.behind, lost: err == nil, err: err}
		}
		p.beatAt = now
	}
	limit := readLimit
	if p.careful || !p.atomic {
		limit = batchFrom
	}
	next, err := p.config.Record.Pending(ctx, sequences(inHand), limit)
	if len(next) < batchFrom {
		return turned{next: next, err: err}
	}
	return turned{next: next, ready: p.messages(next), err: err}
}

// sending is what became of one chunk.
type sending struct {
	acked   []int64 // acknowledged facts
	last    uint64  // the stream's last sequence after them
	batch   bool
	repeats bool // the stream held some already
	err     error
}

// book notes what was acknowledged.
func (p *Pump) book(s sending) {
	p.behind = append(p.behind, s.acked...)
	p.last = max(p.last, s.last)
	p.stats.Published += int64(len(s.acked))
	if s.batch {
		p.stats.Batches++
	}
	switch {
	case s.err != nil:
		p.careful = true
	case len(s.acked) > 0:
		p.careful, p.failures = s.repeats, 0
	}
}

// publish brings a chunk to the stream: as the batch ready when it is large and nothing failed before, else singly.
func (p *Pump) publish(ctx context.Context, chunk []Event, ready []bus.Message) sending {
	if len(chunk) < batchFrom || p.careful || !p.atomic {
		return p.publishSingly(ctx, chunk)
	}
	last, err := p.config.Stream.PublishBatch(ctx, p.last, ready)
	if err != nil {
		return sending{err: err}
	}
	return sending{acked: sequences(chunk), last: last, batch: true}
}

// publishSingly publishes windows of facts of different aggregates: when one fails, none of its aggregate is behind it.
// Repeats do not move the stream's last sequence, so all that was on its way behind one is refused, and goes one by one.
func (p *Pump) publishSingly(ctx context.Context, chunk []Event) sending {
	s, size := sending{last: p.last}, windowLimit
	for len(chunk) > 0 && s.err == nil {
		window := chunk[:apart(chunk, size)]
		refused := s.take(window, p.config.Stream.PublishEach(ctx, s.last, p.messages(window)))
		if s.repeats && errors.Is(s.err, bus.ErrMoved) && len(refused) < len(window) {
			s.err, size = nil, 1
		}
		chunk = append(refused, chunk[len(window):]...)
	}
	return s
}

// take notes the acknowledgements of a window, and returns the facts that got none.
func (s *sending) take(window []Event, acks []bus.Ack) (refused []Event) {
	for i, ack := range acks {
		switch {
		case ack.Err == nil && ack.Duplicate:
			s.repeats = true
			s.acked = append(s.acked, window[i].Seq)
		case ack.Err == nil:
			s.last = max(s.last, ack.Sequence)
			s.acked = append(s.acked, window[i].Seq)
		default:
			refused = append(refused, window[i])
			if s.err == nil || errors.Is(s.err, bus.ErrMoved) {
				s.err = ack.Err // any other error says more
			}
		}
	}
	return refused
}

// apart is how many of the first facts, at most limit, are of different aggregates.
func apart(chunk []Event, limit int) int {
	limit = min(limit, len(chunk))
	seen := make(map[string]struct{}, limit)
	for i, e := range chunk[:limit] {
		if _, repeated := seen[e.Aggregate]; repeated {
			return i
		}
		seen[e.Aggregate] = struct{}{}
	}
	return limit
}

func (p *Pump) messages(chunk []Event) []bus.Message {
	messages := make([]bus.Message, len(chunk))
	for i, e := range chunk {
		messages[i] = envelope(p.config.Service, e)
	}
	return messages
}

func sequences(chunk []Event) []int64 {
	all := make([]int64, len(chunk))
	for i, e := range chunk {
		all[i] = e.Seq
	}
	return all
}
