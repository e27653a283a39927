package outbox_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/naksha-cloud/naksha/pkg/bus"
	"github.com/naksha-cloud/naksha/pkg/local/localtest"
	"github.com/naksha-cloud/naksha/pkg/outbox"
	"github.com/naksha-cloud/naksha/pkg/sim"
)

// TestTheFakeStreamConforms holds the simulation's stream to what JetStream does.
func TestTheFakeStreamConforms(t *testing.T) {
	t.Parallel()
	var messages []bus.Message
	for version := range int64(6) {
		messages = append(messages, outbox.Envelope("tenant", simFact(version+1, "workspaces/a", version+1, time.Now())))
	}
	streamConforms(t, connect(t, localtest.NATS(t), "tenant").Stream("tenant"), messages)
	calmly(t, func(w *sim.World, p *sim.Process) {
		o := newSimOwner(w)
		_ = sim.Tell(p.Context(), p, "write", func() error {
			write, err := o.begin(slices.Repeat([]string{"workspaces/a"}, len(messages)), w.Now())
			if err == nil {
				err = o.commit(write)
			}
			return err
		})
		s := newSimStream(w, o)
		s.storm = false
		streamConforms(t, simPublisher{s, p}, messages)
	})
}

// streamConforms is what every stream must do with six messages that it does not have.
func streamConforms(t *testing.T, s outbox.RelayStream, m []bus.Message) {
	ctx := t.Context()
	endsAt := func(last uint64) {
		t.Helper()
		if state, err := s.Look(ctx); err != nil || state.Last != last || !state.Atomic {
			t.Errorf("%T is at %+v, not %d: %v", s, state, last, err)
		}
	}
	batch := func(last uint64, messages []bus.Message, end uint64, want error) {
		t.Helper()
		if got, err := s.PublishBatch(ctx, last, messages); got != end || !errors.Is(err, want) {
			t.Errorf("%T: a batch behind %d ends at %d, %v; want %d, %v", s, last, got, err, end, want)
		}
	}
	each := func(last uint64, messages []bus.Message, want ...bus.Ack) {
		t.Helper()
		for i, got := range s.PublishEach(ctx, last, messages) {
			if got.Sequence != want[i].Sequence || got.Duplicate != want[i].Duplicate || !errors.Is(got.Err, want[i].Err) {
				t.Errorf("%T: message %d of those behind %d: %+v, want %+v", s, i, last, got, want[i])
			}
		}
	}
	endsAt(0)
	batch(0, m[:2], 2, nil)
	batch(0, m[2:4], 0, bus.ErrMoved)
	batch(2, m[1:3], 0, bus.ErrDuplicate)
	batch(1, m[1:3], 0, bus.ErrDuplicate) // looks for duplicates first
	endsAt(2)
	each(2, m[2:4], bus.Ack{Sequence: 3}, bus.Ack{Sequence: 4})
	each(4, m[3:5], bus.Ack{Sequence: 4, Duplicate: true}, bus.Ack{Err: bus.ErrMoved})
	each(1, m[3:5], bus.Ack{Err: bus.ErrMoved}, bus.Ack{Err: bus.ErrMoved}) // singly it does not
	endsAt(4)
	each(4, m[4:5], bus.Ack{Sequence: 5})
	batch(5, m[5:], 6, nil)
	endsAt(6)
	for sequence, want := range map[uint64]bool{1: true, 6: true, 7: false} {
		headers, ok, err := s.Headers(ctx, sequence)
		if err != nil || ok != want || ok && headers["ce-id"] != m[sequence-1].ID {
			t.Errorf("%T: message %d has headers %v, %v, %v", s, sequence, headers, ok, err)
		}
	}
}
