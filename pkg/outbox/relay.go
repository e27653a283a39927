package outbox

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/naksha-cloud/naksha/pkg/bus"
	"github.com/naksha-cloud/naksha/pkg/pg"
)

// RelayConfig names a Relay's parts.
type RelayConfig struct {
	Outbox *Outbox
	Pool   *pg.Pool
	Bus    *bus.Bus
	Log    *slog.Logger
	Tracer trace.Tracer      // of the spans of publishing; nil = none
	Keep   time.Duration     // how long event_log keeps facts after they are published; 0 = 90 days
	Reset  func(StreamReset) // told when the stream had lost facts, which are then published again; nil = nobody
}

// keepLog is three times what a stream keeps: who comes late finds in the record what the stream has no more.
const keepLog = 90 * 24 * time.Hour

// Relay publishes a service's facts, oldest first, until each is acknowledged, and keeps the record's partitions. One
// replica of a service publishes at a time (see Pump); another takes over when it stops, dies or stands still.
type Relay struct {
	config RelayConfig
	record relayRecord
	pump   *Pump // run's own
	wake   chan struct{}
	leads  atomic.Bool

	mu      sync.Mutex
	cancel  context.CancelFunc
	running sync.WaitGroup
	failure [2]error // why facts are not published, and why partitions are not kept
	stats   PumpStats
}

// Which of a Relay's two works failed.
const (
	publishing = iota
	upkeep
)

// NewRelay returns a stopped Relay. The outbox pokes it after each commit.
func NewRelay(c RelayConfig) *Relay {
	if c.Keep == 0 {
		c.Keep = keepLog
	}
	r := &Relay{config: c, record: relayRecord{c.Pool}, wake: make(chan struct{}, 1)}
	service := c.Outbox.Service()
	r.pump = NewPump(PumpConfig{
		Service: service, Lease: r.record, Record: r.record,
		Stream: tracedStream{c.Bus.Stream(service), tracerOr(c.Tracer)},
		Now:    time.Now, Both: together, Reset: r.reset,
	})
	c.Outbox.OnCommit(r.committed)
	return r
}

// together runs a and b at the same time.
func together(a, b func()) {
	var second sync.WaitGroup
	second.Go(b)
	a()
	second.Wait()
}

// Poke makes the Relay look now.
func (r *Relay) Poke() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// committed wakes whoever publishes: this replica, or by a lossy message on the bus another one. No NOTIFY: it would
// make all commits queue up.
func (r *Relay) committed() {
	if !r.leads.Load() {
		r.config.Bus.Wake(r.config.Outbox.Service())
	}
	r.Poke()
}

func (r *Relay) reset(lost StreamReset) {
	r.config.Log.Error("the stream lost facts, which are published again",
		"stream", lost.Stream, "last_was", lost.Was, "last_is", lost.Is, "facts", lost.Facts)
	if r.config.Reset != nil {
		r.config.Reset(lost)
	}
}

// Start begins to publish in the background. The bus must be started; the broker may be away.
func (r *Relay) Start(context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.cancel != nil {
		return nil
	}
	deaf, err := r.config.Bus.OnWake(r.config.Outbox.Service(), r.Poke)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	r.cancel = func() {
		cancel()
		deaf()
	}
	r.running.Go(func() { r.run(ctx) })
	r.running.Go(func() { r.keep(ctx) })
	return nil
}

// Stop ends publication after what is in hand; what is unpublished stays recorded. A second Stop does nothing.
func (r *Relay) Stop(context.Context) error {
	r.mu.Lock()
	cancel := r.cancel
	r.cancel = nil
	r.mu.Unlock()
	if cancel != nil {
		cancel()
		r.running.Wait()
	}
	return nil
}

// Ready says why facts are not being published, or nil. A replica whose neighbour publishes is ready.
func (r *Relay) Ready(context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return errors.Join(r.failure[:]...)
}

// closing bounds the settlement of what was published last.
const closing = 5 * time.Second

// run drives the pump. Stop interrupts what it looks at and reads, not what it publishes and settles.
func (r *Relay) run(ctx context.Context) {
	for ctx.Err() == nil {
		pause, err := r.pump.Step(ctx)
		r.note(ctx)
		if ctx.Err() != nil {
			break
		}
		r.report(ctx, publishing, "facts are not being published", err)
		wake := r.wake
		if err != nil || !r.pump.Leading() {
			wake = nil // a poke shortens neither the pause after a failure nor the watch over another's lease
		}
		wait(ctx, wake, pause)
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), closing)
	defer cancel()
	if err := r.pump.Close(last); err != nil {
		r.config.Log.WarnContext(ctx, "the next relay publishes some facts once more, or waits for the lease", "error", err)
	}
	r.note(ctx)
}

// note makes the pump's state known to others.
func (r *Relay) note(ctx context.Context) {
	leads, stats := r.pump.Leading(), r.pump.Stats()
	r.mu.Lock()
	r.stats = stats
	r.mu.Unlock()
	if r.leads.Swap(leads) != leads {
		r.config.Log.InfoContext(ctx, "relay changed its part", "publishes", leads, "takeovers", stats.Takeovers)
	}
}

func (r *Relay) report(ctx context.Context, work int, what string, err error) {
	r.mu.Lock()
	changed := (err == nil) != (r.failure[work] == nil)
	r.failure[work] = err
	r.mu.Unlock()
	if changed && err != nil {
		r.config.Log.WarnContext(ctx, what, "error", err)
	}
}

// wait returns after a poke or d, or when ctx ends.
func wait(ctx context.Context, poke <-chan struct{}, d time.Duration) {
	if d <= 0 {
		return
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-poke:
	case <-t.C:
	}
}
