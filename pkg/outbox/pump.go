package outbox

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/naksha-cloud/naksha/pkg/bus"
)

// Bounds of the pump's work.
const (
	readLimit    = bus.MaxBatch            // facts read ahead at once
	batchFrom    = 64                      // fewer are published singly, as after a failure: on one server small batches cost more than they save
	windowLimit  = 32                      // facts published singly that are on their way at once
	beatEvery    = 500 * time.Millisecond  // how often the holder shows that it works, and looks without a poke
	watchEvery   = 250 * time.Millisecond  // how often the others look whether it does
	leaseTime    = 1500 * time.Millisecond // a beat that stands still for so long has no holder any more
	lookEvery    = 5 * time.Second         // how often an idle stream is looked at
	retryLeast   = 50 * time.Millisecond   // pause after the first failure; doubles
	retryMost    = 2 * time.Second
	believeAfter = time.Second // between the two looks at a stream that seems to have lost facts
)

// RelayLease says which replica's pump works. No clock is shared: who watches measures by its own how long the beat stands
// still. The lease saves work; what keeps facts in order is the stream's last sequence, which each publication names.
type RelayLease interface {
	// Look returns who holds the lease; the zero value = nobody.
	Look(ctx context.Context) (LeaseState, error)
	// Take makes holder the holder if the lease is still as it was seen.
	Take(ctx context.Context, seen LeaseState, holder uuid.UUID) (taken bool, err error)
	// Give frees the lease if holder has it.
	Give(ctx context.Context, holder uuid.UUID) error
}

// LeaseState is the lease at one moment.
type LeaseState struct {
	Holder uuid.UUID // of one tenure; nil = nobody
	Beat   int64     // counts up while the holder works
}

// RelayRecord is what the pump needs of the database.
type RelayRecord interface {
	// Pending returns the oldest facts without an acknowledgement, but for those in except, in the order of their
	// sequence. All that precede a fact within its aggregate are in front of it, in except or published.
	Pending(ctx context.Context, except []int64, limit int) ([]Event, error)
	// Settle forgets facts that the stream acknowledged, the last of them as its message last, and counts the beat up;
	// it does nothing, and held is false, when holder does not hold the lease any more.
	Settle(ctx context.Context, holder uuid.UUID, published []int64, last uint64) (held bool, err error)
	// Last is the stream's last sequence as of the newest Settle.
	Last(ctx context.Context) (uint64, error)
	// Restore makes the facts that a stream lost pending again: those recorded around and after the one that the stream
	// kept last (zero: unknown). It notes last, the stream's new last sequence.
	Restore(ctx context.Context, holder uuid.UUID, kept time.Time, last uint64) (facts int64, held bool, err error)
	// Knows says whether a fact with this time and id was recorded.
	Knows(ctx context.Context, at time.Time, id uuid.UUID) (bool, error)
}

// RelayStream is what the pump needs of the bus; *bus.Stream is one.
type RelayStream interface {
	// Look returns the stream's state and makes the stream where it is missing.
	Look(ctx context.Context) (bus.StreamState, error)
	// Headers returns the headers of one stored message; ok is false when the stream does not have it.
	Headers(ctx context.Context, sequence uint64) (headers map[string]string, ok bool, err error)
	// PublishBatch stores all messages or none behind sequence last; bus.ErrMoved and bus.ErrDuplicate as there.
	PublishBatch(ctx context.Context, last uint64, messages []bus.Message) (uint64, error)
	// PublishEach stores messages singly, the i-th behind sequence last+i, and says what became of each.
	PublishEach(ctx context.Context, last uint64, messages []bus.Message) []bus.Ack
}

// StreamReset tells that a stream lost facts that it had acknowledged.
type StreamReset struct {
	Stream  string
	Was, Is uint64 // last sequence as acknowledged, and as found
	Facts   int64  // published again
}

// PumpConfig names a Pump's parts.
type PumpConfig struct {
	Service string
	Lease   RelayLease
	Record  RelayRecord
	Stream  RelayStream
	Now     func() time.Time  // for durations only
	Both    func(a, b func()) // runs both to their end, at once if it can
	Reset   func(StreamReset) // told after a reset was met; nil = nobody
}

// PumpStats counts what a Pump did.
type PumpStats struct {
	Published int64 // facts acknowledged
	Batches   int64 // atomic batches among the publications
	Retries   int64 // steps that failed and are repeated
	Takeovers int64 // leases taken from a holder that stood still
	Resets    int64 // streams that had lost what they acknowledged
}

// Pump is the relay's decisions: it takes the lease, publishes pending facts in order, and forgets what the stream
// acknowledged. It has no goroutine, timer or connection of its own: who drives it calls Step again and again.
//
// Why order holds within an aggregate, whatever fails and whoever wakes up late: a version is committed before the next
// one can be (the head's row lock), so a read of pending facts shows no fact without its predecessors; what is read ahead
// is dropped whenever a publication was not acknowledged; facts of one aggregate are never on their way singly at the same
// time; and the stream takes nothing from a pump that does not know its last sequence.
type Pump struct {
	config PumpConfig
	stats  PumpStats

	holder uuid.UUID  // this tenure; nil = another's, or nobody's
	seen   LeaseState // another's, and since when it stands still
	since  time.Time
	beatAt time.Time

	synced    bool // last is the stream's
	looked    time.Time
	last      uint64 // the stream's last sequence as far as this tenure knows
	atomic    bool
	suspected bool // a lower sequence was seen once

	ahead    []Event       // read and not published
	ready    []bus.Message // the same as a batch
	behind   []int64       // acknowledged and not settled
	careful  bool          // a publication failed: no batches until one chunk went through
	failures int           // in a row
}

// NewPump returns a Pump that holds nothing yet.
func NewPump(c PumpConfig) *Pump { return &Pump{config: c} }

// Leading says whether this pump holds the lease as far as it knows.
func (p *Pump) Leading() bool { return p.holder != uuid.Nil }

// Stats returns what was done so far.
func (p *Pump) Stats() PumpStats { return p.stats }

// Step does the next bounded piece of work and returns how long to wait before the next; a poke may shorten the wait of
// a leading pump that did not fail. A failed step is repeated for ever: a fact is never given up.
func (p *Pump) Step(ctx context.Context) (time.Duration, error) {
	pause, err := p.step(ctx)
	if err == nil {
		return pause, nil
	}
	p.ahead, p.synced = nil, false
	p.failures++
	if outdated := errors.Is(err, bus.ErrMoved) || errors.Is(err, bus.ErrDuplicate); outdated && p.failures == 1 {
		return 0, nil // the bus did not fail: what was known of it is old
	}
	p.stats.Retries++
	pause = min(retryLeast<<min(p.failures-1, 10), retryMost)
	if p.suspected {
		pause = max(pause, believeAfter)
	}
	return pause, err
}

func (p *Pump) step(ctx context.Context) (time.Duration, error) {
	if !p.Leading() {
		pause, err := p.campaign(ctx)
		if err != nil || !p.Leading() {
			return pause, err
		}
	}
	if !p.synced || p.config.Now().Sub(p.looked) >= lookEvery {
		if err := p.sync(ctx); err != nil {
			return 0, err
		}
	}
	if !p.Leading() {
		return 0, nil
	}
	return p.relay(ctx)
}

// Close settles what was acknowledged and frees the lease, so that another may take it at once.
func (p *Pump) Close(ctx context.Context) error {
	if !p.Leading() {
		return nil
	}
	holder := p.holder
	_, err := p.config.Record.Settle(ctx, holder, p.behind, p.last)
	p.lose()
	return errors.Join(err, p.config.Lease.Give(ctx, holder))
}

// campaign takes the lease when nobody holds it, or its holder stands still. It asks the bus first: a pump that cannot
// publish must not take the lease from one that perhaps can.
func (p *Pump) campaign(ctx context.Context) (time.Duration, error) {
	seen, err := p.config.Lease.Look(ctx)
	if err != nil {
		return 0, fmt.Errorf("look at the relay's lease: %w", err)
	}
	now := p.config.Now()
	if seen != p.seen {
		p.seen, p.since = seen, now
	}
	if seen.Holder != uuid.Nil && now.Sub(p.since) < leaseTime {
		p.failures = 0
		return watchEvery, nil
	}
	if _, err := p.config.Stream.Look(ctx); err != nil {
		return 0, err
	}
	holder := uuid.New()
	taken, err := p.config.Lease.Take(ctx, seen, holder)
	if err != nil {
		return 0, fmt.Errorf("take the relay's lease: %w", err)
	}
	if !taken {
		return watchEvery, nil
	}
	if seen.Holder != uuid.Nil {
		p.stats.Takeovers++
	}
	p.holder, p.beatAt = holder, now
	return 0, nil
}

// lose forgets all that belongs to a tenure. What was acknowledged and not settled is published once more by whoever
// comes next, and is a duplicate then.
func (p *Pump) lose() {
	*p = Pump{config: p.config, stats: p.stats}
}
