package outbox_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"

	"github.com/naksha-cloud/naksha/pkg/outbox"
	"github.com/naksha-cloud/naksha/pkg/sim"
	tenantv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/tenant/v1"
)

// simOwner is the database of a service that records facts.
type simOwner struct {
	w       *sim.World
	heads   map[string]outbox.Head
	log     map[string][]outbox.Event // by aggregate, from version 1
	gone    map[string]int64          // up to this version the log was pruned
	pending map[int64]outbox.Event
	locks   map[string]*simWrite // aggregates in open transactions
	seq     int64
	lease   outbox.LeaseState
	mark    uint64

	published map[int64]bool // what the stream acknowledged at any time
	unsynced  []func()       // takes back a settlement that is not on the disk yet
}

// writeTime is how long a transaction may take; the server ends it then. Comparing heads counts on that.
const writeTime = 20 * time.Second

func newSimOwner(w *sim.World) *simOwner {
	return &simOwner{
		w: w, heads: map[string]outbox.Head{}, log: map[string][]outbox.Event{}, gone: map[string]int64{},
		pending: map[int64]outbox.Event{}, locks: map[string]*simWrite{}, published: map[int64]bool{},
	}
}

// simWrite is an open transaction. Its sequences are drawn and its heads locked; nobody sees its facts.
type simWrite struct {
	events []outbox.Event
	began  time.Time
}

var errSimBusy = errors.New("the row is locked")

// begin inserts facts of aggregates in a transaction of its own.
func (o *simOwner) begin(aggregates []string, now time.Time) (*simWrite, error) {
	t := &simWrite{began: o.w.Now()}
	for _, a := range aggregates {
		if other := o.locks[a]; other != nil && other != t && o.open(other) {
			o.rollback(t)
			return nil, errSimBusy
		}
		o.locks[a] = t
		o.seq++
		version := o.heads[a].Version + 1
		for _, e := range t.events {
			if e.Aggregate == a {
				version++
			}
		}
		t.events = append(t.events, simFact(o.seq, a, version, now))
	}
	return t, nil
}

func (o *simOwner) open(t *simWrite) bool { return o.w.Now().Sub(t.began) < writeTime }

func (o *simOwner) rollback(t *simWrite) {
	maps.DeleteFunc(o.locks, func(_ string, holder *simWrite) bool { return holder == t })
}

// commit makes the facts visible; an error when the server has ended the transaction.
func (o *simOwner) commit(t *simWrite) error {
	for _, e := range t.events {
		if o.locks[e.Aggregate] != t {
			return errors.New("the transaction is over")
		}
	}
	if !o.open(t) {
		return errors.New("the transaction took too long")
	}
	for _, e := range t.events {
		o.heads[e.Aggregate] = outbox.Head{Aggregate: e.Aggregate, Version: e.Version, ChangedAt: e.At}
		o.log[e.Aggregate] = append(o.log[e.Aggregate], e)
		o.pending[e.Seq] = e
	}
	o.rollback(t)
	o.unsynced = nil // what was written before is on the disk now
	return nil
}

// simFact is the fact of a sequence; every fourth version is of a type that nobody reacts to.
func simFact(seq int64, aggregate string, version int64, now time.Time) outbox.Event {
	var id uuid.UUID
	binary.BigEndian.PutUint64(id[8:], uint64(seq))
	var m proto.Message = &tenantv1.WorkspaceCreated{Workspace: aggregate, DisplayName: strconv.FormatInt(version, 10)}
	if version%4 == 0 {
		m = &tenantv1.WorkspaceDeleted{Workspace: aggregate}
	}
	payload, err := proto.Marshal(m)
	if err != nil {
		panic(err)
	}
	return outbox.Event{
		Seq: seq, At: now.Truncate(time.Microsecond), ID: id, Aggregate: aggregate, Version: version,
		Type: string(m.ProtoReflect().Descriptor().FullName()), Payload: payload,
	}
}

// simSequence is the sequence of the fact with an id.
func simSequence(id string) int64 {
	parsed := uuid.MustParse(id)
	return int64(binary.BigEndian.Uint64(parsed[8:]))
}

// crash is the owner's server losing power: the lease, which is unlogged, and the newest settlements are gone.
func (o *simOwner) crash() {
	keep := o.w.Rand.IntN(len(o.unsynced) + 1)
	for _, undo := range slices.Backward(o.unsynced[keep:]) {
		undo()
	}
	o.unsynced, o.lease = nil, outbox.LeaseState{}
	clear(o.locks)
}

// prune forgets the log of an aggregate as far as it is published: a snapshot stands for it from now on.
func (o *simOwner) prune(aggregate string) {
	upTo := o.heads[aggregate].Version
	for _, e := range o.pending {
		if e.Aggregate == aggregate {
			upTo = min(upTo, e.Version-1)
		}
	}
	o.gone[aggregate] = max(o.gone[aggregate], upTo)
}

// simDoor is the owner's RPCs as a consumer calls them: outbox.Owner.
type simDoor struct {
	o *simOwner
	p *sim.Process
}

func (d simDoor) Events(ctx context.Context, aggregate string, after int64) ([]outbox.Event, error) {
	return sim.Ask(ctx, d.p, "events of "+aggregate, func() ([]outbox.Event, error) {
		o := d.o
		if after < o.gone[aggregate] {
			return []outbox.Event{o.snapshot(aggregate)}, nil
		}
		rest := o.log[aggregate][min(int(after), len(o.log[aggregate])):]
		return slices.Clone(rest[:min(3, len(rest))]), nil
	}, sim.Repeatable)
}

func (o *simOwner) snapshot(aggregate string) outbox.Event {
	o.seq++
	e := simFact(o.seq, aggregate, o.heads[aggregate].Version, o.w.Now())
	m := &tenantv1.WorkspaceSnapshotted{Created: &tenantv1.WorkspaceCreated{Workspace: aggregate}}
	e.Type = string(m.ProtoReflect().Descriptor().FullName())
	e.Payload, _ = proto.Marshal(m)
	return e
}

// Heads is as outbox.Heads says, two a page; the list's end stays where it was at the first page.
func (d simDoor) Heads(ctx context.Context, since time.Time, page string) (outbox.HeadPage, error) {
	now := d.p.Clock().Now() // the owner's clock is wrong as well
	return sim.Ask(ctx, d.p, "heads", func() (outbox.HeadPage, error) {
		until, after := d.o.oldest(now.Add(-10*time.Second)), ""
		if micro, aggregate, found := strings.Cut(page, " "); found {
			at, err := strconv.ParseInt(micro, 10, 64)
			if err != nil {
				return outbox.HeadPage{}, err
			}
			until, after = time.UnixMicro(at).UTC(), aggregate
		}
		var heads []outbox.Head
		for _, a := range slices.Sorted(maps.Keys(d.o.heads)) {
			if h := d.o.heads[a]; a > after && !h.ChangedAt.Before(since) && h.ChangedAt.Before(until) {
				heads = append(heads, h)
			}
		}
		if len(heads) > 2 {
			next := fmt.Sprintf("%d %s", until.UnixMicro(), heads[1].Aggregate)
			return outbox.HeadPage{Heads: heads[:2], Until: until, Next: next}, nil
		}
		return outbox.HeadPage{Heads: heads, Until: until}, nil
	}, sim.Repeatable)
}

// oldest is when the oldest fact that waits for the relay was recorded, at most t.
func (o *simOwner) oldest(t time.Time) time.Time {
	for _, e := range o.pending {
		if e.At.Before(t) {
			t = e.At
		}
	}
	return t.Truncate(time.Microsecond)
}
