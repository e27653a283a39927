package bus

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// Delivery is a Message as it arrived.
type Delivery struct {
	Message
	Attempt uint64 // 1 = first delivery
}

// Handler handles one delivery. nil acknowledges it; Retry asks for it again later; Reject ends it; any other error asks
// for it again with growing delay.
type Handler func(ctx context.Context, d Delivery) error

// verdict is a handler's instruction to the bus.
type verdict struct {
	err    error
	after  time.Duration
	reject bool
}

func (v *verdict) Error() string { return v.err.Error() }
func (v *verdict) Unwrap() error { return v.err }

// Retry asks for the message again after a delay.
func Retry(after time.Duration, err error) error { return &verdict{err: err, after: after} }

// Reject says that the message can never be handled: it becomes a dead letter.
func Reject(err error) error { return &verdict{err: err, reject: true} }

// Rejected says whether err is, or wraps, a Reject.
func Rejected(err error) bool {
	var v *verdict
	return errors.As(err, &v) && v.reject
}

// retryDelay is how long to wait before the next delivery: asked for, or doubling from 200 ms to 30 s.
func retryDelay(err error, attempt uint64) time.Duration {
	var v *verdict
	if errors.As(err, &v) && v.after > 0 {
		return v.after
	}
	return min(100*time.Millisecond<<min(attempt, 12), 30*time.Second)
}

// Consumer takes a stream's messages in order for one durable, one at a time. It waits for the stream to exist.
type Consumer struct {
	bus             *Bus
	stream, durable string
	handle          Handler

	mu      sync.Mutex
	cancel  context.CancelFunc
	done    chan struct{}
	running error // why it does not consume; nil while it does
}

// NewConsumer returns a stopped Consumer of a stream under a durable name: the consuming service's.
func NewConsumer(b *Bus, stream, durable string, h Handler) *Consumer {
	return &Consumer{bus: b, stream: stream, durable: durable, handle: h}
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

// Stop ends the handling of the message in hand, gives back what was fetched beside it, and waits. A second Stop does
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

func (c *Consumer) setRunning(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.running = err
}

// run attaches, consumes, and attaches again whenever that ends.
func (c *Consumer) run(ctx context.Context, done chan struct{}) {
	defer close(done)
	for ctx.Err() == nil {
		err := c.consume(ctx)
		c.setRunning(err)
		select {
		case <-ctx.Done():
		case <-time.After(200 * time.Millisecond):
		}
	}
}

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
	messages, err := consumer.Messages(jetstream.PullMaxMessages(64), jetstream.PullHeartbeat(5*time.Second),
		jetstream.PullExpiry(20*time.Second))
	if err != nil {
		return fmt.Errorf("pull: %w", err)
	}
	defer giveBack(messages)
	c.setRunning(nil)
	for {
		msg, err := messages.Next(jetstream.NextContext(ctx))
		if err != nil {
			return fmt.Errorf("next message: %w", err)
		}
		c.deliver(ctx, msg)
	}
}

// giveBack ends the pull and returns what was fetched and not handled, so that it comes again at once: after ackWait it
// would come late, and behind the newer facts of its aggregate.
func giveBack(messages jetstream.MessagesContext) {
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

// deliver hands one message to the handler and carries out its verdict. An acknowledgement that gets lost brings the
// message again, and the inbox drops it.
func (c *Consumer) deliver(ctx context.Context, msg jetstream.Msg) {
	d := Delivery{Message: Message{Subject: msg.Subject(), Payload: msg.Data(), Headers: map[string]string{}}, Attempt: 1}
	for k, v := range msg.Headers() {
		if len(v) > 0 {
			d.Headers[k] = v[0]
		}
	}
	d.ID = d.Headers["Nats-Msg-Id"]
	if meta, err := msg.Metadata(); err == nil {
		d.Attempt = meta.NumDelivered
	}
	err := c.call(ctx, d)
	switch {
	case err == nil:
		_ = msg.Ack()
	case Rejected(err):
		c.bus.config.Log.ErrorContext(ctx, "message rejected", "subject", d.Subject, "id", d.ID, "error", err)
		_ = msg.TermWithReason(err.Error())
	default:
		delay := retryDelay(err, d.Attempt)
		c.bus.config.Log.WarnContext(ctx, "message will be tried again",
			"subject", d.Subject, "id", d.ID, "attempt", d.Attempt, "delay", delay, "error", err)
		_ = msg.NakWithDelay(delay)
	}
}

// call bounds the handler by the time after which the server hands the message out again, and makes a panic an error: one
// fact that breaks its handler must not end the process again and again.
func (c *Consumer) call(ctx context.Context, d Delivery) (err error) {
	ctx, cancel := context.WithTimeout(ctx, ackWait)
	defer cancel()
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("handler panicked: %v\n%s", p, debug.Stack())
		}
	}()
	return c.handle(ctx, d)
}
