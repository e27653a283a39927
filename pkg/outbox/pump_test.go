package outbox_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/naksha-cloud/naksha/pkg/bus"
	"github.com/naksha-cloud/naksha/pkg/local"
	"github.com/naksha-cloud/naksha/pkg/local/localtest"
	"github.com/naksha-cloud/naksha/pkg/outbox"
)

// hand is the time that a pump measures by.
type hand struct{ now time.Time }

func (h *hand) Now() time.Time { return h.now }

// pump is a Pump of tenant on r, driven by the test.
func (r *record) pump(stream outbox.RelayStream, h *hand) *outbox.Pump {
	store := outbox.NewRelayStore(r.pool)
	return outbox.NewPump(outbox.PumpConfig{
		Service: "tenant", Lease: store, Record: store, Stream: stream, Now: h.Now,
		Both: func(a, b func()) {
			var second sync.WaitGroup
			second.Go(b)
			a()
			second.Wait()
		},
	})
}

// step moves a pump and fails the test when it fails.
func step(t *testing.T, p *outbox.Pump, times int) {
	t.Helper()
	for range times {
		if _, err := p.Step(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

// orderly fails the test unless the stream has every fact, and each aggregate's versions for the first time in order.
func orderly(t *testing.T, server *local.NATS, facts int) (repeats int) {
	t.Helper()
	heads, all := map[string]int{}, 0
	for _, headers := range stored(t, server) {
		version, _ := strconv.Atoi(headers.Get("ce-aggregateversion"))
		switch head := heads[headers.Get("ce-aggregate")]; {
		case version == head+1:
			heads[headers.Get("ce-aggregate")] = version
			all++
		case version > head+1:
			t.Fatalf("version %d of %s comes before %d", version, headers.Get("ce-aggregate"), head+1)
		default:
			repeats++
		}
	}
	if all != facts {
		t.Fatalf("%d of %d facts are in the stream", all, facts)
	}
	return repeats
}

// stored are the headers of all messages in tenant's stream.
func stored(t *testing.T, server *local.NATS) (all []nats.Header) {
	t.Helper()
	conn, err := nats.Connect(server.URL(), nats.UserInfo("tenant", "tenant"), nats.CustomInboxPrefix("_INBOX_tenant"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	js, err := jetstream.New(conn)
	if err != nil {
		t.Fatal(err)
	}
	reader, err := js.CreateOrUpdateConsumer(t.Context(), "TENANT", jetstream.ConsumerConfig{Durable: "tenant", AckPolicy: jetstream.AckNonePolicy})
	if err != nil {
		t.Fatal(err)
	}
	for want := reader.CachedInfo().NumPending; uint64(len(all)) < want; {
		batch, err := reader.Fetch(min(1000, int(want)-len(all)), jetstream.FetchMaxWait(localtest.Patience))
		if err != nil {
			t.Fatal(err)
		}
		for m := range batch.Messages() {
			all = append(all, m.Headers())
		}
		if batch.Error() != nil {
			t.Fatal(batch.Error())
		}
	}
	return all
}

func TestSmallChunksGoSinglyLargeOnesInBatches(t *testing.T) {
	t.Parallel()
	r, server := newRecord(t, "tenant"), localtest.NATS(t)
	s := connect(t, server, "tenant").Stream("tenant")
	p := r.pump(s, &hand{now: time.Now()})
	step(t, p, 1) // takes the lease
	for n, batches := range map[int]int64{63: 0, 1500: 2} {
		before := p.Stats()
		r.emitMany(t, n, 40)
		for p.Stats().Published < before.Published+int64(n) {
			step(t, p, 1)
		}
		if got := p.Stats().Batches - before.Batches; got != batches {
			t.Errorf("%d facts went in %d batches, not %d", n, got, batches)
		}
	}
	if repeats := orderly(t, server, 1563); repeats != 0 {
		t.Errorf("%d repeats", repeats)
	}
}

// emitMany records n facts of so many aggregates, 500 in one transaction.
func (r *record) emitMany(t testing.TB, n, aggregates int) {
	t.Helper()
	for done := 0; done < n; {
		facts := make([]outbox.Fact, min(500, n-done))
		for i := range facts {
			aggregate := "workspaces/" + strconv.Itoa((done+i)%aggregates)
			facts[i] = outbox.Fact{Aggregate: aggregate, Workspace: ref, Message: created(aggregate)}
		}
		err := r.tell(t.Context(), facts...)
		if err != nil {
			t.Fatal(err)
		}
		done += len(facts)
	}
}

func TestPumpThatWakesUpLatePublishesNothing(t *testing.T) {
	t.Parallel()
	r, server := newRecord(t, "tenant"), localtest.NATS(t)
	s := connect(t, server, "tenant").Stream("tenant")
	r.emitMany(t, 1200, 20)
	time1, time2 := &hand{now: time.Now()}, &hand{now: time.Now()}
	first, second := r.pump(s, time1), r.pump(connect(t, server, "tenant").Stream("tenant"), time2)
	step(t, first, 3) // it leads, published a batch and holds another in its hands
	step(t, second, 2)
	time2.now = time2.now.Add(1400 * time.Millisecond)
	if step(t, second, 1); second.Leading() || !first.Leading() {
		t.Fatal("the lease was taken from one that may still work")
	}
	time2.now = time2.now.Add(200 * time.Millisecond)
	if step(t, second, 1); !second.Leading() || second.Stats().Takeovers != 1 {
		t.Fatal("the lease was not taken from one that stands still")
	}
	r.emitMany(t, 100, 20)
	for waiting := r.waiting(t); waiting > 0; waiting = r.waiting(t) {
		step(t, second, 1)
	}
	published := first.Stats().Published
	step(t, first, 3)
	if first.Leading() || first.Stats().Published != published {
		t.Errorf("the one that woke up published %d facts", first.Stats().Published-published)
	}
	if repeats := orderly(t, server, 1300); repeats != 0 {
		t.Errorf("%d repeats", repeats)
	}
}

func (r *record) waiting(t testing.TB) (n int) {
	t.Helper()
	if err := r.pool.QueryRow(t.Context(), "SELECT count(*) FROM outbox_pending").Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestLeaseGivenBackIsTakenAtOnce(t *testing.T) {
	t.Parallel()
	r, s := newRecord(t, "tenant"), connect(t, localtest.NATS(t), "tenant").Stream("tenant")
	first, second := r.pump(s, &hand{now: time.Now()}), r.pump(s, &hand{now: time.Now()})
	step(t, first, 1)
	step(t, second, 1)
	if err := first.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if step(t, second, 1); !second.Leading() || second.Stats().Takeovers != 0 {
		t.Errorf("leads: %v, %+v", second.Leading(), second.Stats())
	}
}

// flaky is a stream whose answers get lost, and messages before they arrive.
type flaky struct {
	outbox.RelayStream
	dice *rand.Rand
}

var errFlaky = errors.New("lost on the way")

func (f flaky) Look(ctx context.Context) (bus.StreamState, error) {
	if f.dice.IntN(6) == 0 {
		return bus.StreamState{}, errFlaky
	}
	return f.RelayStream.Look(ctx)
}

func (f flaky) PublishBatch(ctx context.Context, last uint64, messages []bus.Message) (uint64, error) {
	fate := f.dice.IntN(4)
	if fate == 0 {
		return 0, errFlaky
	}
	sequence, err := f.RelayStream.PublishBatch(ctx, last, messages)
	if fate == 1 {
		return 0, errFlaky // stored, and nobody knows
	}
	return sequence, err
}

func (f flaky) PublishEach(ctx context.Context, last uint64, messages []bus.Message) []bus.Ack {
	if f.dice.IntN(4) == 0 { // one of them never arrives
		lost := f.dice.IntN(len(messages))
		acks := f.RelayStream.PublishEach(ctx, last, messages[:lost])
		acks = append(acks, bus.Ack{Err: errFlaky})
		return append(acks, f.RelayStream.PublishEach(ctx, last+uint64(lost)+1, messages[lost+1:])...)
	}
	acks := f.RelayStream.PublishEach(ctx, last, messages)
	if f.dice.IntN(4) == 0 {
		acks[f.dice.IntN(len(acks))] = bus.Ack{Err: errFlaky}
	}
	return acks
}

func TestOrderHoldsWhateverIsLostOnTheWay(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	dice := rand.New(rand.NewPCG(seed, 0))
	r, server := newRecord(t, "tenant"), localtest.NATS(t)
	s := connect(t, server, "tenant").Stream("tenant")
	hands := []*hand{{now: time.Now()}, {now: time.Now()}, {now: time.Now()}}
	pumps := make([]*outbox.Pump, len(hands))
	for i, h := range hands {
		pumps[i] = r.pump(flaky{s, rand.New(rand.NewPCG(seed, uint64(i+1)))}, h)
	}
	facts, storm := 0, 120
	for round := 0; round < storm || r.waiting(t) > 0; round++ {
		if round < storm && dice.IntN(5) == 0 {
			n := 1 + dice.IntN(30)
			if dice.IntN(10) == 0 {
				n = 200
			}
			r.emitMany(t, n, 12)
			facts += n
		}
		turn := dice.IntN(len(pumps)) // the others stand still, whatever they have in their hands
		for range 1 + dice.IntN(8) {
			_, _ = pumps[turn].Step(t.Context())
		}
		for _, h := range hands {
			h.now = h.now.Add(time.Duration(dice.IntN(1500)) * time.Millisecond)
		}
		if round > 5000 {
			t.Fatal("it never ends")
		}
	}
	if repeats := orderly(t, server, facts); repeats != 0 {
		t.Errorf("%d repeats among %d facts", repeats, facts)
	}
	total := 0
	for _, p := range pumps {
		total += int(p.Stats().Takeovers)
	}
	t.Logf("%d facts, %d takeovers", facts, total)
}
