package jobs

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"
	"go.opentelemetry.io/otel/propagation"

	"github.com/naksha-cloud/naksha/pkg/caller"
)

// InsertOptions are a job's. The zero InsertOptions run it at once.
type InsertOptions struct {
	// UniqueKey refuses the job silently while another of its kind and key is unfinished, running ones included.
	UniqueKey string
	// At is when the job runs at the earliest; zero = now.
	At time.Time
}

// Insert keeps a job and returns its id; it will run although this process may die. A job that UniqueKey refuses
// returns the id of the other. Insert fails before Start.
func (c *Client) Insert(ctx context.Context, args Args, o InsertOptions) (int64, error) {
	client, options, err := c.prepare(ctx, args, o)
	if err != nil {
		return 0, err
	}
	result, err := client.Insert(ctx, outgoing{kind: args.Kind(), Key: o.UniqueKey, Args: args}, options)
	return idOf(result, args, err)
}

// InsertTx is Insert inside tx: the job exists when tx commits. For handlers of facts, not for requests.
func (c *Client) InsertTx(ctx context.Context, tx pgx.Tx, args Args, o InsertOptions) (int64, error) {
	client, options, err := c.prepare(ctx, args, o)
	if err != nil {
		return 0, err
	}
	result, err := client.InsertTx(ctx, tx, outgoing{kind: args.Kind(), Key: o.UniqueKey, Args: args}, options)
	return idOf(result, args, err)
}

func idOf(result *rivertype.JobInsertResult, args Args, err error) (int64, error) {
	if err != nil {
		return 0, fmt.Errorf("insert job %s: %w", args.Kind(), err)
	}
	return result.Job.ID, nil
}

func (c *Client) prepare(ctx context.Context, args Args, o InsertOptions) (*river.Client[pgx.Tx], *river.InsertOpts, error) {
	client, err := c.client()
	if err != nil {
		return nil, nil, fmt.Errorf("insert job %s: %w", args.Kind(), err)
	}
	c.mu.Lock()
	h, ok := c.handlers[args.Kind()]
	c.mu.Unlock()
	if !ok {
		return nil, nil, fmt.Errorf("insert job %s: no handler is registered", args.Kind())
	}
	options := &river.InsertOpts{
		MaxAttempts: h.options.MaxAttempts, Queue: h.options.Queue, ScheduledAt: o.At, Metadata: depart(ctx),
	}
	if o.UniqueKey != "" {
		options.UniqueOpts = unfinished()
	}
	return client, options, nil
}

// unfinished makes a job unique by its key among those that are not finished.
func unfinished() river.UniqueOpts {
	return river.UniqueOpts{ByArgs: true, ByState: []rivertype.JobState{
		rivertype.JobStateAvailable, rivertype.JobStatePending, rivertype.JobStateRunning,
		rivertype.JobStateRetryable, rivertype.JobStateScheduled,
	}}
}

// outgoing is an envelope as it is written.
type outgoing struct {
	kind string
	Key  string `json:"key,omitempty" river:"unique"`
	Args Args   `json:"args"`
}

// Kind is the kind of the arguments.
func (o outgoing) Kind() string { return o.kind }

// requestIDKey holds the request id in a job's metadata, beside the trace context.
const requestIDKey = "request_id"

// depart writes the trace context and request id of ctx as a job's metadata.
func depart(ctx context.Context) []byte {
	carrier := propagation.MapCarrier{}
	propagation.TraceContext{}.Inject(ctx, carrier)
	if id := caller.RequestID(ctx); id != "" {
		carrier[requestIDKey] = id
	}
	b, err := json.Marshal(carrier)
	if err != nil {
		panic("jobs: a map of strings does not marshal: " + err.Error())
	}
	return b
}

// arrive puts what depart wrote into ctx. River keeps values of its own beside them, of any type.
func arrive(ctx context.Context, metadata []byte) context.Context {
	var values struct {
		Traceparent string `json:"traceparent"`
		Tracestate  string `json:"tracestate"`
		RequestID   string `json:"request_id"`
	}
	if json.Unmarshal(metadata, &values) != nil {
		return ctx // metadata of another writer: the job needs none
	}
	carrier := propagation.MapCarrier{"traceparent": values.Traceparent, "tracestate": values.Tracestate}
	ctx = propagation.TraceContext{}.Extract(ctx, carrier)
	if values.RequestID == "" {
		return ctx
	}
	return caller.WithRequestID(ctx, values.RequestID)
}
