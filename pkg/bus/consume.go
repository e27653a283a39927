package bus

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// HandleTime bounds the handling of one delivery.
const HandleTime = ackWait

const (
	together = 320 // deliveries handed to the handler at once, at most
	ahead    = 2 * together
)

// Consumer takes a stream's messages in order for one durable, in batches of what is there. It waits for the stream to
// exist, and supervises itself: see Reason.
type Consumer struct {
	bus             *Bus
	stream, durable string
	handle          Handler
	restarted       func(Reason)
	patience        time.Duration // how long messages may wait while none comes

	mu       sync.Mutex
	cancel   context.CancelFunc
	done     chan struct{}
	attached jetstream.Consumer // nil while it does not consume
	running  error              // why it does not consume; nil while it does
	seen     sight              // the last look
	work     progress
	batch    []jetstream.Msg // at the handler
}

// progress is how far a Consumer has come. Times tell a stall from a quiet stream.
type progress struct {
	pulled, handled uint64 // messages, since the start
	sequence        uint64 // of the newest message that was handled
	at              time.Time
}

func (p progress) inHand() bool { return p.pulled > p.handled }

// NewConsumer returns a stopped Consumer of a stream under a durable name: the consuming service's. restarted is told
// each time that it attached anew because something was wrong; nil = nobody.
func NewConsumer(b *Bus, stream, durable string, h Handler, restarted func(Reason)) *Consumer {
	if restarted == nil {
		restarted = func(Reason) {}
	}
	return &Consumer{bus: b, stream: stream, durable: durable, handle: h, restarted: restarted, patience: 2 * ackWait}
}

// Start begins to consume in the background; a stream that its owner has not made yet is waited for.
func (c *Consumer) Start(context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.cancel != nil {
		return nil
	}
	ctx, cancel := context.WithCancel(context.Background())
	c.cancel, c.done = cancel, make(chan struct{})
	c.running = errors.New("not connected yet")
	go c.run(ctx, c.done)
	return nil
}

// Stop ends the handling of the messages in hand, gives back what was fetched beside them, and waits. A second Stop does
// nothing.
func (c *Consumer) Stop(context.Context) error {
	c.mu.Lock()
	cancel, done := c.cancel, c.done
	c.cancel = nil
	c.mu.Unlock()
	if cancel != nil {
		cancel()
		<-done
	}
	return nil
}

// Ready says why the Consumer does not consume, or nil.
func (c *Consumer) Ready(context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.running != nil {
		return fmt.Errorf("consumer %s of %s: %w", c.durable, c.stream, c.running)
	}
	return nil
}

// run attaches, consumes, and attaches again whenever that ends.
func (c *Consumer) run(ctx context.Context, done chan struct{}) {
	defer close(done)
	for ctx.Err() == nil {
		err := c.consume(ctx)
		c.attach(nil, err)
		select {
		case <-ctx.Done():
		case <-time.After(200 * time.Millisecond):
		}
	}
}

func (c *Consumer) attach(to jetstream.Consumer, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.attached, c.running = to, err
	c.work = progress{sequence: c.work.sequence, at: time.Now()}
}

// consume is one round: from attaching until something ends it.
func (c *Consumer) consume(ctx context.Context) error {
	_, js, err := c.bus.started()
	if err != nil {
		return err
	}
	consumer, err := js.CreateOrUpdateConsumer(ctx, c.stream, jetstream.ConsumerConfig{
		Durable: c.durable, AckPolicy: jetstream.AckExplicitPolicy, DeliverPolicy: jetstream.DeliverAllPolicy,
		AckWait: ackWait, MaxDeliver: -1, MaxAckPending: inFlight,
	})
	if err != nil {
		return fmt.Errorf("attach: %w", err)
	}
	if consumer.CachedInfo().NumAckPending > 0 {
		// In hands that are gone, or another replica's: the first come at once instead of after ackWait, behind newer facts of
		// their aggregates; the others come twice and are dropped. A server before 2.14 refuses, and they come late.
		soon, cancel := context.WithTimeout(ctx, lookTime)
		_, _ = js.ResetConsumer(soon, c.stream, c.durable)
		cancel()
	}
	messages, err := consumer.Messages(jetstream.PullMaxMessages(ahead), jetstream.PullHeartbeat(5*time.Second),
		jetstream.PullExpiry(20*time.Second))
	if err != nil {
		return fmt.Errorf("pull: %w", err)
	}
	c.attach(consumer, nil)
	round, end := context.WithCancelCause(ctx)
	fetched := make(chan jetstream.Msg, together)
	var helpers sync.WaitGroup
	helpers.Go(func() { c.pump(round, end, messages, fetched) })
	helpers.Go(func() { c.supervise(round, end, js, consumer) })
	c.deliverAll(round, fetched)
	helpers.Wait()
	giveBack(messages, fetched)
	return context.Cause(round)
}

// pump moves messages into fetched until the round ends, or ends it.
func (c *Consumer) pump(ctx context.Context, end context.CancelCauseFunc, from jetstream.MessagesContext, fetched chan<- jetstream.Msg) {
	defer close(fetched)
	for {
		msg, err := from.Next(jetstream.NextContext(ctx))
		if err != nil {
			end(fmt.Errorf("next message: %w", err))
			return
		}
		c.mu.Lock()
		c.work.pulled++
		c.mu.Unlock()
		select {
		case fetched <- msg:
		case <-ctx.Done():
			_ = msg.Nak()
			return
		}
	}
}
