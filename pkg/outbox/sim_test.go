package outbox_test

import (
	"context"
	"fmt"
	"hash/crc32"
	"maps"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/naksha-cloud/naksha/pkg/bus"
	"github.com/naksha-cloud/naksha/pkg/outbox"
	"github.com/naksha-cloud/naksha/pkg/sim"
)

// simHouse is one service that records facts and one that takes them, each in two replicas, with a broker between them.
type simHouse struct {
	*sim.World
	owner  *simOwner
	stream *simStream
	inbox  *simInbox
	simFlaws
	reached *reached
}

// reached counts what happened, over all runs.
type reached struct {
	takeovers, resets, batches, retries, snapshots, conflicts atomic.Int64
	found                                                     sync.Map // outbox.Reason → true
}

// simFlaws are what a variant, broken on purpose, gets wrong.
type simFlaws struct {
	flawed  flaws
	deaf    bool                                        // the inbox asks its owner for nothing
	record  func(outbox.RelayRecord) outbox.RelayRecord // nil = as it is
	publish func(outbox.RelayStream) outbox.RelayStream // nil = as it is
}

// Of a run: how many steps things go wrong, and how long everything may take to be settled after that.
const (
	simStorm   = 700
	simHealing = 15 * time.Minute
)

// facts is the scenario: writers, relays and inboxes through a storm; then each fact must have had its effect.
func facts(flawed simFlaws) sim.Scenario { return counted(flawed, &reached{}) }

func counted(flawed simFlaws, r *reached) sim.Scenario {
	return func(w *sim.World) {
		h := &simHouse{World: w, owner: newSimOwner(w), simFlaws: flawed, reached: r}
		h.stream, h.inbox = newSimStream(w, h.owner), newSimInbox(w, h.owner, r)
		h.live()
		w.Storm(simStorm)
		h.stream.storm, h.inbox.storm = false, false
		clear(h.inbox.poison)
		w.Heal(h.open, simHealing)
	}
}

// live starts everybody. What a broker or a disk does now and then happens in some worlds only.
func (h *simHouse) live() {
	for n := range 2 {
		h.Actor(fmt.Sprintf("writer %d", n+1), h.write)
		h.Actor(fmt.Sprintf("relay %d", n+1), h.relay)
		h.Actor(fmt.Sprintf("inbox %d", n+1), h.take)
	}
	h.Actor("person", h.replay)
	for name, do := range h.disasters() {
		if h.Chance(3) {
			h.Event(name, do)
		}
	}
}

func (h *simHouse) disasters() func(yield func(string, func()) bool) {
	return func(yield func(string, func()) bool) {
		_ = yield("the stream loses its end", h.rarely(h.stream.cut)) &&
			yield("the stream loses a message", h.rarely(h.stream.lose)) &&
			yield("a message is altered", h.rarely(h.stream.alter)) &&
			yield("the owner's server loses power", h.rarely(h.owner.crash)) &&
			yield("an old log is pruned", func() { h.owner.prune(h.aggregate(h.Rand.Float64())) })
	}
}

func (h *simHouse) rarely(do func()) func() {
	return func() {
		if h.Chance(3) {
			do()
		}
	}
}

// aggregate is one of six.
func (h *simHouse) aggregate(chance float64) string {
	return "workspaces/" + strconv.Itoa(int(chance*6))
}

// write changes aggregates, now and then many at once.
func (h *simHouse) write(p *sim.Process) {
	for p.Pause(time.Duration(p.Float64() * float64(4*time.Second))) {
		aggregates := make([]string, 1+int(p.Float64()*4))
		if p.Float64() < 0.07 {
			aggregates = make([]string, 100)
		}
		for i := range aggregates {
			aggregates[i] = h.aggregate(p.Float64())
		}
		now := p.Clock().Now()
		t, err := sim.Ask(p.Context(), p, "write", func() (*simWrite, error) {
			if !h.stream.storm {
				return nil, errSimBusy // to be settled, it must become quiet
			}
			return h.owner.begin(aggregates, now)
		})
		if err == nil {
			_ = sim.Tell(p.Context(), p, "commit", func() error { return h.owner.commit(t) })
		}
	}
}

// relay drives a Pump, as Relay does.
func (h *simHouse) relay(p *sim.Process) {
	record, stream := outbox.RelayRecord(simRelay{h.owner, p}), outbox.RelayStream(simPublisher{h.stream, p})
	if h.record != nil {
		record = h.record(record)
	}
	if h.publish != nil {
		stream = h.publish(stream)
	}
	pump := outbox.NewPump(outbox.PumpConfig{
		Service: "tenant", Lease: simRelay{h.owner, p}, Record: record, Stream: stream, Now: p.Clock().Now,
		Both: func(a, b func()) {
			var second sync.WaitGroup
			second.Go(b)
			a()
			second.Wait()
		},
	})
	last := context.WithoutCancel(p.Context())
	for pause := time.Duration(0); p.Pause(pause); {
		pause, _ = pump.Step(last)
	}
	_ = pump.Close(last)
	stats := pump.Stats()
	h.reached.takeovers.Add(stats.Takeovers)
	h.reached.resets.Add(stats.Resets)
	h.reached.batches.Add(stats.Batches)
	h.reached.retries.Add(stats.Retries)
}

// take is one replica of the consuming service, as Inbox and package bus drive it.
func (h *simHouse) take(p *sim.Process) {
	intake, from := h.intake(p), simSubscription{h.stream, p}
	var looking sync.WaitGroup
	looking.Go(func() {
		for !h.deaf && p.Pause(10*time.Second) {
			_ = intake.Reconcile(p.Context())
		}
	})
	for p.Pause(100 * time.Millisecond) {
		batch, err := from.fetch(p.Context())
		if err != nil || len(batch) == 0 {
			continue
		}
		for i, verdict := range handleLanes(p.Context(), intake, batch) {
			from.settle(p.Context(), batch[i], verdict)
		}
	}
	looking.Wait()
}

type laneKey struct{}

// handleLanes hands a batch over in parts, one for each of Intake's lanes: at the same time, as Intake does it, but so that
// their calls have names of their own and a run can be repeated.
func handleLanes(ctx context.Context, intake *outbox.Intake, batch []bus.Delivery) []error {
	verdicts := make([]error, len(batch))
	var running sync.WaitGroup
	for lane := range uint32(outbox.Lanes) {
		var mine []bus.Delivery
		var at []int
		for i, d := range batch {
			if crc32.ChecksumIEEE([]byte(d.Headers["ce-aggregate"]))%outbox.Lanes == lane {
				mine, at = append(mine, d), append(at, i)
			}
		}
		running.Go(func() {
			for i, verdict := range intake.Handle(context.WithValue(ctx, laneKey{}, lane), mine) {
				verdicts[at[i]] = verdict
			}
		})
	}
	running.Wait()
	return verdicts
}

// replay is a person who looks after dead letters now and then.
func (h *simHouse) replay(p *sim.Process) {
	intake := h.intake(p)
	for p.Pause(20 * time.Second) {
		parked, err := sim.Ask(p.Context(), p, "list dead letters", func() (parked []string, _ error) {
			for a, letters := range h.inbox.letters {
				if len(letters) > 0 {
					parked = append(parked, a)
				}
			}
			slices.Sort(parked)
			return parked, nil
		})
		for _, a := range parked {
			if err == nil {
				_, err = intake.Replay(p.Context(), a)
			}
		}
	}
}

// open is which fact that was committed has not had its effect; nil = none.
func (h *simHouse) open() error {
	for _, a := range slices.Sorted(maps.Keys(h.owner.heads)) {
		head := h.owner.heads[a].Version
		if h.inbox.heads[a] < head || h.inbox.due(a) <= head || len(h.inbox.letters[a]) > 0 {
			return fmt.Errorf("%s is at version %d, taken are %d, the last effect is of %d, %d dead letters", a, head,
				h.inbox.heads[a], h.inbox.last(a), len(h.inbox.letters[a]))
		}
	}
	if len(h.owner.pending) > 0 {
		return fmt.Errorf("%d facts are not published", len(h.owner.pending))
	}
	return nil
}

// TestSimulationReachesWhatItIsFor holds the storm to its coverage: what no seed leads to is not tested by it.
func TestSimulationReachesWhatItIsFor(t *testing.T) {
	t.Parallel()
	r := &reached{}
	for seed := range uint64(100) {
		sim.Run(t, seed, counted(simFlaws{}, r))
	}
	for what, times := range map[string]int64{
		"takeovers": r.takeovers.Load(), "resets": r.resets.Load(), "batches": r.batches.Load(), "retries": r.retries.Load(),
		"snapshots": r.snapshots.Load(), "conflicts": r.conflicts.Load(),
	} {
		if t.Logf("%d %s", times, what); times == 0 {
			t.Errorf("no %s", what)
		}
	}
	for _, reason := range []outbox.Reason{outbox.Gap, outbox.Unreached, outbox.Altered, outbox.DeadLetter} {
		if _, found := r.found.Load(reason); !found {
			t.Errorf("nothing is found for %s", reason)
		}
	}
}

func TestSimulationRepeats(t *testing.T) {
	t.Parallel()
	sim.Repeat(t, 20, facts(simFlaws{}))
}

func TestSimulation(t *testing.T) {
	t.Parallel()
	sim.Check(t, facts(simFlaws{}))
}
