// Package outbox is the record of a service's facts. A change writes its facts in its own transaction (Emit); the Relay
// publishes them to the bus in order; an Inbox takes other services' facts into transactions, each exactly once and in
// the order of its aggregate. It refuses to lose, repeat or reorder a fact within an aggregate, and promises no order
// between aggregates. Formats: DESIGN §4.
package outbox

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"regexp"
	"strings"
	"sync"
	"time"
	"unicode"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/naksha-cloud/naksha/pkg/bus"
	"github.com/naksha-cloud/naksha/pkg/pg"
)

//go:embed migration/*.sql
var migrations embed.FS

//go:embed query/*.sql
var queries embed.FS

// query returns the text of query/<name>.sql; the names are this package's own.
func query(name string) string {
	text, err := queries.ReadFile("query/" + name + ".sql")
	if err != nil {
		panic(err)
	}
	return string(text)
}

// Migrate creates or updates the tables in the pool's schema and the log's partitions around now.
func Migrate(ctx context.Context, p *pg.Pool) error {
	files, err := fs.Sub(migrations, "migration")
	if err != nil {
		return err
	}
	if err := pg.Migrate(ctx, p, files, "outbox_version"); err != nil {
		return err
	}
	return ensurePartitions(ctx, p)
}

// Fact is something that happened, to be told to others.
type Fact struct {
	Aggregate string        // resource name of what changed; its facts are numbered densely
	Workspace string        // ref; empty = platform
	Message   proto.Message // a message of naksha/<service>/v1/*_events.proto
}

// Event is a fact as recorded.
type Event struct {
	Seq       int64
	At        time.Time `db:"at"`
	ID        uuid.UUID `db:"event_id"`
	Aggregate string
	Version   int64
	Type      string // full name of the payload's message
	Workspace string // ref; empty = platform
	Headers   map[string]string
	Payload   []byte
}

// Outbox emits one service's facts. It is safe for concurrent use.
type Outbox struct {
	service string

	mu   sync.Mutex
	kick []func() // called after a transaction that emitted has committed
}

// New returns the Outbox of a service.
func New(service string) *Outbox { return &Outbox{service: service} }

// Service is the service that owns the facts.
func (o *Outbox) Service() string { return o.service }

// OnCommit registers f to be called whenever new facts are durable.
func (o *Outbox) OnCommit(f func()) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.kick = append(o.kick, f)
}

func (o *Outbox) committed() {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, f := range o.kick {
		f()
	}
}

// Emit records facts in tx, in one round trip; they are published after it commits, and never when it rolls back. The
// trace of ctx travels with them. Facts of one aggregate in one transaction keep their order.
func (o *Outbox) Emit(ctx context.Context, tx *pg.Tx, facts ...Fact) error {
	headers, err := traceHeaders(ctx)
	if err != nil {
		return err
	}
	var records pgx.Batch
	for _, fact := range facts {
		if err := o.record(&records, tx.Now, headers, fact); err != nil {
			return err
		}
	}
	if err := tx.SendBatch(ctx, &records).Close(); err != nil {
		return fmt.Errorf("record facts: %w", err)
	}
	tx.AfterCommit(o.committed)
	return nil
}

func (o *Outbox) record(records *pgx.Batch, now time.Time, headers []byte, fact Fact) error {
	if err := o.check(fact); err != nil {
		return err
	}
	id, err := uuid.NewV7()
	if err != nil {
		return fmt.Errorf("make event id: %w", err)
	}
	payload, err := proto.Marshal(fact.Message)
	if err != nil {
		return fmt.Errorf("encode %s: %w", typeOf(fact.Message), err)
	}
	if len(payload) > maxPayload {
		return fmt.Errorf("fact %s has %d bytes: the bus takes %d", typeOf(fact.Message), len(payload), maxPayload)
	}
	records.Queue(query("emit"), fact.Aggregate, now, id, string(typeOf(fact.Message)), fact.Workspace, headers, payload)
	return nil
}

// maxPayload is the size of a fact's message, bytes: what is left of bus.MaxMessage holds the headers. A greater one would
// hold up all that come after it for ever.
const maxPayload = bus.MaxMessage - 16<<10

// maxAggregate bounds a resource name, bytes: it stands in two headers.
const maxAggregate = 512

var refPattern = regexp.MustCompile(`^[a-z]{20}$`)

// check refuses what could not be published: the program is wrong, not the request.
func (o *Outbox) check(f Fact) error {
	switch {
	case f.Aggregate == "":
		return fmt.Errorf("fact %s has no aggregate", typeOf(f.Message))
	case len(f.Aggregate) > maxAggregate || strings.ContainsFunc(f.Aggregate, unicode.IsControl):
		return fmt.Errorf("fact %s: aggregate %.40q does not fit into a header", typeOf(f.Message), f.Aggregate)
	case f.Workspace != "" && !refPattern.MatchString(f.Workspace):
		return fmt.Errorf("fact %s: workspace %q is no ref", typeOf(f.Message), f.Workspace)
	case !strings.HasPrefix(string(typeOf(f.Message)), "naksha."+o.service+".v1."):
		return fmt.Errorf("fact %s is not one of service %s", typeOf(f.Message), o.service)
	}
	return nil
}

func typeOf(m proto.Message) protoreflect.FullName { return m.ProtoReflect().Descriptor().FullName() }

// List returns an aggregate's facts after a version, in order, at most limit.
func List(ctx context.Context, p *pg.Pool, aggregate string, after int64, limit int) ([]Event, error) {
	rows, err := p.Query(ctx, query("list"), aggregate, after, limit)
	events, err := pg.All[Event](rows, err)
	if err != nil {
		return nil, fmt.Errorf("list events: %w", err)
	}
	return events, nil
}
