package outbox

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/naksha-cloud/naksha/pkg/bus"
	"github.com/naksha-cloud/naksha/pkg/clock"
	"github.com/naksha-cloud/naksha/pkg/pg"
	"github.com/naksha-cloud/naksha/pkg/run"
)

// Inbox takes the facts of one stream into a service. It consumes every fact of each aggregate, also those that it does
// not react to, so that versions are dense and a gap shows that the bus lost something: what is missing is then fetched
// from the owner, never skipped.
type Inbox struct {
	*Intake
	consumer *bus.Consumer
	upkeep   *run.Loop
	compare  time.Duration
}

// InboxConfig names an Inbox's parts.
type InboxConfig struct {
	Service   string // the consuming service: the durable's name
	Owner     string // the service whose facts are taken
	Pool      *pg.Pool
	Bus       *bus.Bus
	Log       *slog.Logger
	Reactions []Reaction
	Source    Owner                   // where missing facts are fetched from; nil = a gap waits for the bus
	Report    func(Finding)           // told of what was found and mended; nil = nobody
	Restarted func(reason bus.Reason) // told when the consumer attached anew; nil = nobody
	Tracer    trace.Tracer            // of the consumer's spans; nil = none
	Clock     clock.Clock             // nil = the machine's
	Compare   time.Duration           // between two comparisons of heads; 0 = 10 s
}

const (
	compareEvery = 10 * time.Second // a lost tail is found within this and headAge
	patience     = time.Second      // of a replica whose neighbour has the fact before
	tidyEvery    = time.Minute
	inboxKept    = 7 * 24 * time.Hour // event ids; versions are kept for ever
)

// ConsumerOf is the name of a service's consumer of another's facts, as dead letters carry it.
func ConsumerOf(owner, service string) string { return bus.StreamOf(owner) + "/" + service }

// NewInbox returns a stopped Inbox.
func NewInbox(c InboxConfig) *Inbox {
	if c.Clock == nil {
		c.Clock = clock.System()
	}
	if c.Compare == 0 {
		c.Compare = compareEvery
	}
	consumer := ConsumerOf(c.Owner, c.Service)
	in := &Inbox{compare: c.Compare, Intake: NewIntake(IntakeConfig{
		Consumer: consumer, Ledger: NewLedger(c.Pool, consumer), Owner: c.Source, Reactions: c.Reactions, Clock: c.Clock,
		Log: c.Log, Tracer: c.Tracer, Patience: patience, Report: c.Report,
	})}
	in.consumer = bus.NewConsumer(c.Bus, bus.StreamOf(c.Owner), c.Service, in.Handle, c.Restarted)
	in.Stream, in.upkeep = in.consumer, run.NewLoop(in.look)
	return in
}

// Start begins to take facts and to look after what was taken.
func (in *Inbox) Start(ctx context.Context) error {
	if err := in.consumer.Start(ctx); err != nil {
		return err
	}
	return in.upkeep.Start(ctx)
}

// Stop ends after the facts in hand. A second Stop does nothing.
func (in *Inbox) Stop(ctx context.Context) error {
	return errors.Join(in.upkeep.Stop(ctx), in.consumer.Stop(ctx))
}

// Ready says why facts are not being taken, or nil.
func (in *Inbox) Ready(ctx context.Context) error { return in.consumer.Ready(ctx) }

// look compares heads and tidies up, now and then, until the Inbox stops.
func (in *Inbox) look(ctx context.Context) {
	var tidied time.Time
	failing := map[string]bool{}
	try := func(what string, f func(ctx context.Context) error) {
		err := f(ctx)
		if err != nil && !failing[what] && ctx.Err() == nil { // once, not every ten seconds while an owner is away
			in.Log.InfoContext(ctx, what+" failed and is tried again", "consumer", in.Consumer, "error", err)
		}
		failing[what] = err != nil
	}
	for clock.Sleep(ctx, in.Clock, in.compare) == nil {
		if in.Owner != nil {
			try("comparing heads", in.Reconcile)
		}
		if now := in.Clock.Now(); now.Sub(tidied) >= tidyEvery {
			tidied = now
			try("reviving dead letters", in.Revive)
			try("forgetting old inbox rows", func(ctx context.Context) error { return in.Ledger.Prune(ctx, now.Add(-inboxKept)) })
		}
	}
}
