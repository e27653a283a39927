package outbox

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"go.opentelemetry.io/otel/trace"

	"github.com/naksha-cloud/naksha/pkg/bus"
	"github.com/naksha-cloud/naksha/pkg/pg"
)

const (
	relayBatch  = 500                    // facts read ahead at once
	relayPoll   = time.Second            // looks without a poke
	relayRetry  = 250 * time.Millisecond // pause after a failed publish or a lost lock
	maintenance = time.Hour              // how often partitions are made
	forgetTime  = 10 * time.Second       // how long forgetting a batch may take
)

// Relay publishes a service's facts, oldest first, until each is acknowledged. One replica of a service is active: it
// holds a session's advisory lock, which another takes over when that session ends. Failed publishes are tried again
// for ever: a fact is never given up.
type Relay struct {
	outbox *Outbox
	pool   *pg.Pool
	bus    *bus.Bus
	log    *slog.Logger
	tracer trace.Tracer
	wake   chan struct{}

	maintained time.Time // when partitions were made last; run's own

	mu      sync.Mutex
	cancel  context.CancelFunc
	done    chan struct{}
	failure error
}

// NewRelay returns a stopped Relay. The outbox pokes it after each commit. tracer nil = no spans.
func NewRelay(o *Outbox, p *pg.Pool, b *bus.Bus, log *slog.Logger, tracer trace.Tracer) *Relay {
	r := &Relay{outbox: o, pool: p, bus: b, log: log, tracer: tracerOr(tracer), wake: make(chan struct{}, 1)}
	o.OnCommit(r.Poke)
	return r
}

// Poke makes the Relay look now.
func (r *Relay) Poke() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// Start begins to publish in the background.
func (r *Relay) Start(context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.cancel != nil {
		return nil
	}
	ctx, cancel := context.WithCancel(context.Background())
	r.cancel, r.done = cancel, make(chan struct{})
	go r.run(ctx, r.done)
	return nil
}

// Stop ends publication after the fact in hand; what is unpublished stays recorded. A second Stop does nothing.
func (r *Relay) Stop(context.Context) error {
	r.mu.Lock()
	cancel, done := r.cancel, r.done
	r.cancel = nil
	r.mu.Unlock()
	if cancel != nil {
		cancel()
		<-done
	}
	return nil
}

// Ready says why facts are not being published, or nil.
func (r *Relay) Ready(context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.failure
}

// Lag is how many facts wait, and since when the oldest does.
func (r *Relay) Lag(ctx context.Context) (waiting int64, oldest *time.Time, err error) {
	err = r.pool.QueryRow(ctx, query("pending_age")).Scan(&waiting, &oldest)
	return waiting, oldest, err
}

func (r *Relay) run(ctx context.Context, done chan struct{}) {
	defer close(done)
	for ctx.Err() == nil {
		err := r.lead(ctx)
		if ctx.Err() != nil {
			return
		}
		r.report(ctx, err)
		wait(ctx, nil, relayRetry)
	}
}

func (r *Relay) report(ctx context.Context, err error) {
	r.mu.Lock()
	changed := (err == nil) != (r.failure == nil)
	r.failure = err
	r.mu.Unlock()
	if changed && err != nil {
		r.log.WarnContext(ctx, "facts are not being published", "error", err)
	}
}

// lead takes the lock on a session of its own and publishes while it holds it.
func (r *Relay) lead(ctx context.Context) error {
	raw := r.pool.Raw()
	if raw == nil {
		return errors.New("database pool is stopped")
	}
	conn, err := raw.Acquire(ctx)
	if err != nil {
		return fmt.Errorf("acquire connection: %w", err)
	}
	defer release(conn)
	var active bool
	key := "naksha relay " + r.outbox.service
	err = conn.QueryRow(ctx, "SELECT pg_try_advisory_lock(hashtextextended(current_schema() || $1, 0))", key).Scan(&active)
	if err != nil {
		return fmt.Errorf("take the relay's lock: %w", err)
	}
	if !active {
		r.report(ctx, nil)
		wait(ctx, nil, relayPoll)
		return nil
	}
	if err := r.maintain(ctx); err != nil {
		return err
	}
	if err := r.bus.EnsureStream(ctx, r.outbox.service); err != nil {
		return err
	}
	return r.publishUntil(ctx, conn)
}

// maintain makes the log's next partitions. It does not wait for the bus: facts are recorded while that is away.
func (r *Relay) maintain(ctx context.Context) error {
	now := r.pool.Now()
	if now.Sub(r.maintained) < maintenance {
		return nil
	}
	if err := ensurePartitions(ctx, r.pool); err != nil {
		return err
	}
	r.maintained = now
	return nil
}

// release ends the session, and with it the lock: a connection in the pool must not keep it.
func release(conn *pgxpool.Conn) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = conn.Conn().Close(ctx)
	conn.Release()
}

func (r *Relay) publishUntil(ctx context.Context, conn *pgxpool.Conn) error {
	for {
		n, err := r.publishBatch(ctx, conn)
		if err != nil {
			return err
		}
		r.report(ctx, nil) // not before: a bus that takes the stream may still refuse facts
		if err := r.maintain(ctx); err != nil {
			return err
		}
		if n == 0 && !wait(ctx, r.wake, relayPoll) {
			return nil
		}
	}
}

// publishBatch publishes the oldest facts one by one and forgets those that the bus acknowledged. It uses the session
// that holds the lock: when that session is gone, so is the right to publish.
func (r *Relay) publishBatch(ctx context.Context, conn *pgxpool.Conn) (int, error) {
	rows, err := conn.Query(ctx, query("pending"), relayBatch)
	events, err := pg.All[Event](rows, err)
	if err != nil {
		return 0, fmt.Errorf("read pending facts: %w", err)
	}
	var published []int64
	var failure error
	for _, e := range events {
		if failure = r.publish(ctx, e); failure != nil {
			break
		}
		published = append(published, e.Seq)
	}
	return len(events), errors.Join(failure, forget(ctx, conn, published))
}

// forget deletes what was published, also while the Relay stops: it would be published again.
func forget(ctx context.Context, conn *pgxpool.Conn, published []int64) error {
	if len(published) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), forgetTime)
	defer cancel()
	if _, err := conn.Exec(ctx, query("published"), published); err != nil {
		return fmt.Errorf("forget published facts: %w", err)
	}
	return nil
}

func (r *Relay) publish(ctx context.Context, e Event) error {
	ctx, end := traced(ctx, r.tracer, "publish", trace.SpanKindProducer, e)
	err := r.bus.Publish(ctx, envelope(r.outbox.service, e))
	end(err)
	return err
}

// wait returns true after a poke or d, false when ctx ended.
func wait(ctx context.Context, poke <-chan struct{}, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-poke:
	case <-t.C:
	}
	return true
}
