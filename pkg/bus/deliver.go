package bus

import (
	"context"
	"log/slog"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// deliverAll hands over what is there, batch by batch, until the round ends.
func (c *Consumer) deliverAll(ctx context.Context, fetched <-chan jetstream.Msg) {
	for {
		select {
		case <-ctx.Done():
			return
		case msg, ok := <-fetched:
			if !ok {
				return
			}
			c.deliver(ctx, gather(msg, fetched))
		}
	}
}

// gather takes the first message and what has arrived behind it: it never waits, so that a quiet stream has no delay.
func gather(first jetstream.Msg, fetched <-chan jetstream.Msg) []jetstream.Msg {
	batch := []jetstream.Msg{first}
	for len(batch) < together {
		select {
		case msg, ok := <-fetched:
			if !ok {
				return batch
			}
			batch = append(batch, msg)
		default:
			return batch
		}
	}
	return batch
}

// giveBack ends the pull and returns what was fetched and not handled, so that it comes again at once: after ackWait it
// would come late, and behind the newer facts of its aggregate.
func giveBack(messages jetstream.MessagesContext, fetched <-chan jetstream.Msg) {
	for msg := range fetched {
		_ = msg.Nak()
	}
	messages.Drain()
	for {
		msg, err := messages.Next(jetstream.NextMaxWait(giveBackWait))
		if err != nil {
			return
		}
		_ = msg.Nak()
	}
}

// giveBackWait bounds giveBack while the broker is away.
const giveBackWait = time.Second

// deliver hands a batch to the handler and carries out its verdicts. An acknowledgement that gets lost brings the
// message again, and the inbox drops it.
func (c *Consumer) deliver(ctx context.Context, batch []jetstream.Msg) {
	deliveries := make([]Delivery, len(batch))
	for i, msg := range batch {
		deliveries[i] = delivery(msg)
	}
	c.hold(batch)
	verdicts := c.call(ctx, deliveries)
	c.hold(nil)
	for i, msg := range batch {
		c.settle(ctx, msg, deliveries[i], verdicts[i])
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.work.handled += uint64(len(batch))
	c.work.sequence = max(c.work.sequence, deliveries[len(batch)-1].Sequence)
	c.work.at = time.Now()
}

// hold says which messages are at the handler: supervise keeps the server from handing them out again.
func (c *Consumer) hold(batch []jetstream.Msg) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.batch = batch
}

func delivery(msg jetstream.Msg) Delivery {
	d := Delivery{Message: Message{Subject: msg.Subject(), Payload: msg.Data(), Headers: map[string]string{}}, Attempt: 1}
	for k, v := range msg.Headers() {
		if len(v) > 0 {
			d.Headers[k] = v[0]
		}
	}
	d.ID = d.Headers["Nats-Msg-Id"]
	if meta, err := msg.Metadata(); err == nil {
		d.Attempt, d.Sequence = meta.NumDelivered, meta.Sequence.Stream
	}
	return d
}

// call makes a panic of the handler an error of the whole batch.
func (c *Consumer) call(ctx context.Context, batch []Delivery) (verdicts []error) {
	err := Safely(func() error {
		verdicts = c.handle(ctx, batch)
		return nil
	})
	if err == nil {
		return verdicts
	}
	verdicts = make([]error, len(batch))
	for i := range verdicts {
		verdicts[i] = err
	}
	return verdicts
}

func (c *Consumer) settle(ctx context.Context, msg jetstream.Msg, d Delivery, err error) {
	switch {
	case err == nil:
		_ = msg.Ack()
	case ctx.Err() != nil:
		_ = msg.Nak() // nothing was wrong with it: the consumer stops
	case Rejected(err):
		c.bus.config.Log.ErrorContext(ctx, "message rejected", "subject", d.Subject, "id", d.ID, "error", err)
		_ = msg.TermWithReason(err.Error())
	default:
		delay := Delay(err, d.Attempt)
		level := slog.LevelWarn
		if d.Attempt == 1 {
			level = slog.LevelDebug // often it only came too early
		}
		c.bus.config.Log.Log(ctx, level, "message will be tried again",
			"subject", d.Subject, "id", d.ID, "attempt", d.Attempt, "delay", delay, "error", err)
		_ = msg.NakWithDelay(delay)
	}
}
