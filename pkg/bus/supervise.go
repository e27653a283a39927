package bus

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// Reason is why a Consumer attached anew.
type Reason string

// The faults that a Consumer heals by attaching anew. What a stream lost is not on the bus any more: comparing heads
// with the owner brings it back (package outbox).
const (
	Stalled        Reason = "stalled"          // messages wait, and none came for twice ackWait
	StreamWentBack Reason = "stream_went_back" // the last sequence decreased: a damaged file was cut at start
	StreamReplaced Reason = "stream_replaced"  // another stream of the same name
	ConsumerGone   Reason = "consumer_gone"    // or its stream
)

const (
	lookEvery = 5 * time.Second
	lookTime  = 5 * time.Second // of one look
)

// sight is what one look at a consumer and its stream shows.
type sight struct {
	created   time.Time // the stream's
	last      uint64    // the stream's last sequence
	delivered uint64    // sequence up to which messages were handed out
	pending   uint64    // messages that wait to be handed out
	handled   uint64    // newest sequence that was handled before the look
}

// judge compares two looks, and returns what is wrong, or nothing. before is the zero sight at the first one; late says that
// nothing has been in hand for long.
func judge(before, now sight, late bool) Reason {
	known := !before.created.IsZero()
	switch {
	case known && !now.created.Equal(before.created):
		return StreamReplaced
	case known && now.last < before.last, now.last < max(now.delivered, now.handled):
		return StreamWentBack
	case now.pending > 0 && late:
		return Stalled
	}
	return ""
}

// supervise looks now and then, and ends the round when something is wrong that attaching anew heals.
func (c *Consumer) supervise(ctx context.Context, end context.CancelCauseFunc, js jetstream.JetStream, consumer jetstream.Consumer) {
	for tick := time.NewTicker(lookEvery); ; {
		fault, err := c.look(ctx, js, consumer)
		if fault != "" {
			tick.Stop()
			c.bus.config.Log.WarnContext(ctx, "consumer attaches anew",
				"stream", c.stream, "consumer", c.durable, "reason", string(fault), "error", err)
			c.restarted(fault)
			end(fmt.Errorf("attached anew: %s", fault))
			return
		}
		select {
		case <-ctx.Done():
			tick.Stop()
			return
		case <-tick.C:
			c.keep()
		}
	}
}

// keep tells the server that the batch in hand is still worked on, so that a slow one is not handed out twice.
func (c *Consumer) keep() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, msg := range c.batch {
		_ = msg.InProgress()
	}
}

// look returns the fault that it sees. A broker that does not answer shows none: the client waits for it.
func (c *Consumer) look(ctx context.Context, js jetstream.JetStream, consumer jetstream.Consumer) (Reason, error) {
	ctx, cancel := context.WithTimeout(ctx, lookTime)
	defer cancel()
	c.mu.Lock()
	handled := c.work.sequence
	c.mu.Unlock()
	now, err := sightOf(ctx, js, c.stream, consumer)
	switch {
	case errors.Is(err, jetstream.ErrConsumerNotFound), errors.Is(err, jetstream.ErrStreamNotFound):
		return ConsumerGone, err
	case err != nil:
		return "", err
	}
	now.handled = handled
	c.mu.Lock()
	fault := judge(c.seen, now, c.idle() > c.patience)
	c.seen = now
	lost := fault == StreamWentBack || fault == StreamReplaced
	if lost {
		c.work.sequence = 0
	}
	c.mu.Unlock()
	if lost {
		// Its place may be beyond the stream's end, where new messages would be skipped. Repeats are dropped by the inbox.
		_, err = js.ResetConsumerToSequence(ctx, c.stream, c.durable, 1)
	}
	return fault, err
}

// idle is how long nothing has been in hand; mu is held.
func (c *Consumer) idle() time.Duration {
	if c.work.inHand() {
		return 0
	}
	return time.Since(c.work.at)
}

func sightOf(ctx context.Context, js jetstream.JetStream, stream string, consumer jetstream.Consumer) (sight, error) {
	info, err := consumer.Info(ctx)
	if err != nil {
		return sight{}, fmt.Errorf("look at the consumer: %w", err)
	}
	s, err := js.Stream(ctx, stream) // after the consumer, which is then never ahead of it
	if err != nil {
		return sight{}, fmt.Errorf("look at stream %s: %w", stream, err)
	}
	state := s.CachedInfo()
	return sight{
		created: state.Created, last: state.State.LastSeq, delivered: info.Delivered.Stream, pending: info.NumPending,
	}, nil
}

// Last is the stream's last sequence.
func (c *Consumer) Last(ctx context.Context) (uint64, error) {
	_, js, err := c.bus.started()
	if err != nil {
		return 0, err
	}
	s, err := js.Stream(ctx, c.stream)
	if err != nil {
		return 0, fmt.Errorf("look at stream %s: %w", c.stream, err)
	}
	return s.CachedInfo().State.LastSeq, nil
}

// Passed says whether everything that the stream has up to a sequence was handed out, and handled by this replica as far
// as it got it. What the stream should have had and was not seen by then will not come.
func (c *Consumer) Passed(ctx context.Context, sequence uint64) (bool, error) {
	c.mu.Lock()
	attached, work := c.attached, c.work
	c.mu.Unlock()
	if attached == nil {
		return false, errors.New("not attached")
	}
	if work.inHand() && work.sequence < sequence {
		return false, nil
	}
	info, err := attached.Info(ctx)
	if err != nil {
		return false, fmt.Errorf("look at the consumer: %w", err)
	}
	return info.Delivered.Stream >= sequence || info.NumPending == 0, nil
}
