package outbox

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/google/uuid"
	"go.opentelemetry.io/otel/trace"
	"google.golang.org/protobuf/proto"

	"github.com/naksha-cloud/naksha/pkg/bus"
	"github.com/naksha-cloud/naksha/pkg/pg"
)

// Meta is what is known of a fact beside its message.
type Meta struct {
	ID        uuid.UUID // event id
	Aggregate string    // resource name of what changed
	Version   int64     // dense within the aggregate
	Workspace string    // ref; empty = platform
	Time      time.Time // when it happened, UTC
}

// Reaction handles one type of fact.
type Reaction struct {
	Type   string // full name of the message
	handle func(ctx context.Context, tx *pg.Tx, meta Meta, payload []byte) error
}

// On makes a Reaction to facts of type M. f runs in the transaction that takes the fact in: its effects and its own
// facts commit with it, once. It must not call other services. nil = done; bus.Retry, bus.Reject as there; any other
// error is tried again with growing delay.
func On[M proto.Message](f func(ctx context.Context, tx *pg.Tx, meta Meta, m M) error) Reaction {
	var zero M
	return Reaction{
		Type: string(typeOf(zero)),
		handle: func(ctx context.Context, tx *pg.Tx, meta Meta, payload []byte) error {
			m := zero.ProtoReflect().New().Interface().(M)
			if err := proto.Unmarshal(payload, m); err != nil {
				return bus.Reject(fmt.Errorf("decode %s: %w", typeOf(zero), err))
			}
			return f(ctx, tx, meta, m)
		},
	}
}

// Source fetches an aggregate's recorded facts after a version from the service that owns them, in order.
type Source func(ctx context.Context, aggregate string, after int64) ([]Event, error)

// Inbox takes the facts of one stream into a service. It consumes every fact of each aggregate, also those that it does
// not react to, so that versions are dense and a gap shows that the bus lost something: what is missing is then fetched
// from the owner, never skipped.
type Inbox struct {
	consumer  string
	pool      *pg.Pool
	log       *slog.Logger
	reactions map[string]Reaction
	source    Source
	missed    func(aggregate string, facts int)
	tracer    trace.Tracer
	*bus.Consumer
}

// InboxConfig names an Inbox's parts.
type InboxConfig struct {
	Service   string // the consuming service: the durable's name
	Owner     string // the service whose facts are taken
	Pool      *pg.Pool
	Bus       *bus.Bus
	Log       *slog.Logger
	Reactions []Reaction
	Source    Source                            // where missing facts are fetched from
	Missed    func(aggregate string, facts int) // told after a gap was repaired; nil = nobody
	Tracer    trace.Tracer                      // of the consumer's spans; nil = none
}

// NewInbox returns a stopped Inbox.
func NewInbox(c InboxConfig) *Inbox {
	in := &Inbox{
		consumer: bus.StreamOf(c.Owner) + "/" + c.Service, pool: c.Pool, log: c.Log, source: c.Source, missed: c.Missed, tracer: tracerOr(c.Tracer),
		reactions: map[string]Reaction{},
	}
	for _, r := range c.Reactions {
		in.reactions[r.Type] = r
	}
	in.Consumer = bus.NewConsumer(c.Bus, bus.StreamOf(c.Owner), c.Service, in.deliver)
	return in
}

// errGap says that a fact before this one has not arrived.
var errGap = errors.New("an earlier fact of the aggregate is missing")

func (in *Inbox) deliver(ctx context.Context, d bus.Delivery) error {
	e, err := parse(d)
	if err != nil {
		return bus.Reject(err)
	}
	ctx, end := traced(ctx, in.tracer, "process", trace.SpanKindConsumer, e)
	err = in.take(ctx, e, d.Attempt)
	if errors.Is(err, errGap) {
		err = in.repair(ctx, e, d.Attempt)
	}
	end(err)
	return err
}

// take processes one fact in one transaction: repeat → nothing, next version → reaction, later version → errGap.
func (in *Inbox) take(ctx context.Context, e Event, attempt uint64) error {
	err := in.pool.InTx(ctx, func(ctx context.Context, tx *pg.Tx) error {
		fresh, err := in.advance(ctx, tx, e)
		if err != nil || !fresh {
			return err
		}
		var parked bool
		if err := tx.QueryRow(ctx, query("parked"), in.consumer, e.Aggregate).Scan(&parked); err != nil {
			return fmt.Errorf("look for dead letters: %w", err)
		}
		if parked {
			return in.bury(ctx, tx, e, attempt, nil)
		}
		return in.react(ctx, tx, e)
	})
	if bus.Rejected(err) {
		in.log.ErrorContext(ctx, "fact became a dead letter", "type", e.Type, "aggregate", e.Aggregate, "error", err)
		return in.pool.InTx(ctx, func(ctx context.Context, tx *pg.Tx) error {
			if _, err := in.advance(ctx, tx, e); err != nil {
				return err
			}
			return in.bury(ctx, tx, e, attempt, err)
		})
	}
	return err
}

func (in *Inbox) react(ctx context.Context, tx *pg.Tx, e Event) error {
	reaction, ok := in.reactions[e.Type]
	if !ok {
		return nil
	}
	meta := Meta{ID: e.ID, Aggregate: e.Aggregate, Version: e.Version, Workspace: e.Workspace, Time: e.At}
	return reaction.handle(ctx, tx, meta, e.Payload)
}

// advance moves the aggregate's head to e; fresh is false for a fact that was taken before.
func (in *Inbox) advance(ctx context.Context, tx *pg.Tx, e Event) (fresh bool, err error) {
	var version int64
	err = tx.QueryRow(ctx, query("advance"), in.consumer, e.Aggregate, e.Version).Scan(&version)
	if pg.NoRows(err) {
		err = tx.QueryRow(ctx, query("head"), in.consumer, e.Aggregate).Scan(&version)
		if pg.NoRows(err) || err == nil && version < e.Version {
			return false, errGap
		}
		return false, err
	}
	if err != nil {
		return false, fmt.Errorf("advance head of %s: %w", e.Aggregate, err)
	}
	tag, err := tx.Exec(ctx, query("receive"), in.consumer, e.ID, tx.Now)
	if err != nil {
		return false, fmt.Errorf("note fact %s: %w", e.ID, err)
	}
	return tag.RowsAffected() == 1, nil
}

// bury keeps e as a dead letter, and with it every later fact of its aggregate until it is replayed or dropped.
func (in *Inbox) bury(ctx context.Context, tx *pg.Tx, e Event, attempt uint64, cause error) error {
	id, err := uuid.NewV7()
	if err != nil {
		return fmt.Errorf("make letter id: %w", err)
	}
	text := ""
	if cause != nil {
		text = cause.Error()
	}
	_, err = tx.Exec(ctx, query("bury"), id, in.consumer, e.ID, e.Aggregate, e.Version, e.Type, e.Workspace, e.Payload,
		text, int64(attempt), tx.Now)
	if err != nil {
		return fmt.Errorf("keep dead letter: %w", err)
	}
	return nil
}

// repair fetches from the owner what is missing before e, a page at a time, and takes it in order, e included.
func (in *Inbox) repair(ctx context.Context, e Event, attempt uint64) error {
	if in.source == nil {
		return errGap
	}
	var head int64
	err := in.pool.QueryRow(ctx, query("head"), in.consumer, e.Aggregate).Scan(&head)
	if err != nil && !pg.NoRows(err) {
		return fmt.Errorf("read head of %s: %w", e.Aggregate, err)
	}
	if err := in.catchUp(ctx, e, head); err != nil {
		return err
	}
	return in.take(ctx, e, attempt)
}

// catchUp takes the facts between head and e. Where the record has a hole itself, it stops there: taking e then fails.
func (in *Inbox) catchUp(ctx context.Context, e Event, head int64) error {
	from := head
	for before := int64(-1); before < head && head < e.Version-1; {
		before = head
		missing, err := in.source(ctx, e.Aggregate, head)
		if err != nil {
			return fmt.Errorf("fetch facts of %s after %d: %w", e.Aggregate, head, err)
		}
		for _, m := range missing {
			if m.Version >= e.Version {
				break // comes by itself
			}
			if err := in.take(withTrace(ctx, m.Headers), m, 1); err != nil {
				return err
			}
			head = m.Version
		}
	}
	in.log.WarnContext(ctx, "facts missing on the bus were fetched from the record",
		"aggregate", e.Aggregate, "after_version", from, "facts", head-from)
	if in.missed != nil {
		in.missed(e.Aggregate, int(head-from))
	}
	return nil
}
