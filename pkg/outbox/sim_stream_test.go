package outbox_test

import (
	"errors"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/naksha-cloud/naksha/pkg/bus"
	"github.com/naksha-cloud/naksha/pkg/sim"
)

// simStream is a stream of a broker, with one durable consumer, as JetStream behaves (and misbehaves) in what matters here.
type simStream struct {
	w      *sim.World
	owner  *simOwner
	stored map[uint64]bus.Message
	last   uint64
	ids    map[string]simStored // of the last window
	heads  map[string]int       // highest version of each aggregate that was ever stored
	storm  bool                 // single messages and acknowledgements get lost

	next   uint64                // the first sequence that was never handed out
	unsure map[uint64]*simHanded // handed out and not acknowledged
}

type simStored struct {
	sequence uint64
	at       time.Time
}

type simHanded struct {
	again    time.Time // when it is handed out once more
	attempts uint64
}

const (
	simDuplicates = 10 * time.Minute
	simAckWait    = 30 * time.Second
	simFetch      = 20 // messages handed out at once
)

var errSimStream = errors.New("no answer of the broker")

func newSimStream(w *sim.World, o *simOwner) *simStream {
	return &simStream{
		w: w, owner: o, stored: map[uint64]bus.Message{}, ids: map[string]simStored{}, heads: map[string]int{}, storm: true,
		next: 1, unsure: map[uint64]*simHanded{},
	}
}

// duplicate says whether the window holds a message already.
func (s *simStream) duplicate(m bus.Message) (uint64, bool) {
	held, ok := s.ids[m.ID]
	return held.sequence, ok && s.w.Now().Sub(held.at) < simDuplicates
}

// store keeps a message, and wants its aggregate to be in order.
func (s *simStream) store(m bus.Message) uint64 {
	s.last++
	s.stored[s.last] = m
	s.ids[m.ID] = simStored{s.last, s.w.Now()}
	s.see(m)
	s.owner.published[simSequence(m.ID)] = true
	return s.last
}

// see wants each aggregate's versions to be published in order, repeats apart.
func (s *simStream) see(m bus.Message) {
	aggregate := m.Headers["ce-aggregate"]
	version, _ := strconv.Atoi(m.Headers["ce-aggregateversion"])
	switch head := s.heads[aggregate]; {
	case version == head+1:
		s.heads[aggregate] = version
	case version > head+1:
		s.w.Fail("version %d of %s is published behind version %d", version, aggregate, head)
	}
	if log := s.owner.log[aggregate]; version > len(log) || log[version-1].ID.String() != m.ID {
		s.w.Fail("version %d of %s is published and was never committed", version, aggregate)
	}
}

// The three ways in which a broker loses what it acknowledged.

// cut loses the end of the stream, as a damaged file does at a restart.
func (s *simStream) cut() {
	s.last = uint64(s.w.Rand.Int64N(int64(s.last) + 1))
	maps.DeleteFunc(s.stored, func(seq uint64, _ bus.Message) bool { return seq > s.last })
	maps.DeleteFunc(s.unsure, func(seq uint64, _ *simHanded) bool { return seq > s.last })
	maps.DeleteFunc(s.ids, func(_ string, held simStored) bool { return held.sequence > s.last })
	s.next = min(s.next, s.last+1)
}

// lose loses one message.
func (s *simStream) lose() {
	if seq, ok := s.any(); ok {
		delete(s.stored, seq)
		delete(s.unsure, seq)
	}
}

// alter changes one message.
func (s *simStream) alter() {
	seq, ok := s.any()
	if m := s.stored[seq]; ok && len(m.Payload) > 0 {
		m.Payload = slices.Clone(m.Payload)
		m.Payload[s.w.Rand.IntN(len(m.Payload))] ^= 1 << s.w.Rand.IntN(8)
		s.stored[seq] = m
	}
}

func (s *simStream) any() (uint64, bool) {
	if len(s.stored) == 0 {
		return 0, false
	}
	all := slices.Sorted(maps.Keys(s.stored))
	return all[s.w.Rand.IntN(len(all))], true
}
