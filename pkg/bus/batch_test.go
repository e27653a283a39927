package bus_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/naksha-cloud/naksha/pkg/bus"
	"github.com/naksha-cloud/naksha/pkg/local/localtest"
)

// stream is tenant's stream on a server of its own.
func stream(t *testing.T) *bus.Stream {
	t.Helper()
	s := connect(t, localtest.NATS(t), "tenant", "tenant").Stream("tenant")
	holds(t, s, 0)
	return s
}

func holds(t *testing.T, s *bus.Stream, last uint64) {
	t.Helper()
	state, err := s.Look(t.Context())
	if err != nil || state.Last != last || !state.Atomic {
		t.Fatalf("stream is at %+v, not %d: %v", state, last, err)
	}
}

func messages(from, n int) []bus.Message {
	all := make([]bus.Message, n)
	for i := range all {
		id := fmt.Sprint(from + i)
		all[i] = bus.Message{
			ID: id, Subject: "naksha.tenant.v1.happened.platform", Payload: []byte(id), Headers: map[string]string{"ce-id": id},
		}
	}
	return all
}

func TestBatchIsStoredWholeAndInOrder(t *testing.T) {
	t.Parallel()
	s := stream(t)
	last, err := s.PublishBatch(t.Context(), 0, messages(1, bus.MaxBatch))
	if err != nil || last != bus.MaxBatch {
		t.Fatalf("last is %d: %v", last, err)
	}
	for _, sequence := range []uint64{1, 500, 1000} {
		headers, ok, err := s.Headers(t.Context(), sequence)
		if err != nil || !ok || headers["ce-id"] != fmt.Sprint(sequence) {
			t.Errorf("message %d has %v, %v", sequence, headers, err)
		}
	}
	if _, ok, err := s.Headers(t.Context(), 1001); ok || err != nil {
		t.Errorf("there is a message behind the last: %v", err)
	}
}

func TestBatchIsRefusedWhole(t *testing.T) {
	t.Parallel()
	s := stream(t)
	if _, err := s.PublishBatch(t.Context(), 0, messages(1, 10)); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		last     uint64
		messages []bus.Message
		want     error
	}{
		"by one who does not know the last sequence": {last: 9, messages: messages(11, 10), want: bus.ErrMoved},
		"when the stream holds one of it":            {last: 10, messages: messages(10, 10), want: bus.ErrDuplicate},
		"when it holds one twice":                    {last: 10, messages: append(messages(11, 5), messages(11, 5)...), want: bus.ErrDuplicate},
	} {
		if _, err := s.PublishBatch(t.Context(), test.last, test.messages); !errors.Is(err, test.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := s.PublishBatch(t.Context(), 10, messages(11, bus.MaxBatch+1)); err == nil {
		t.Error("a batch of 1,001 was taken")
	}
	holds(t, s, 10)
}

func TestSinglesBehindARepeatAreRefused(t *testing.T) {
	t.Parallel()
	s := stream(t)
	if acks := s.PublishEach(t.Context(), 0, messages(1, 3)); acks[0].Err != nil || acks[2].Sequence != 3 {
		t.Fatalf("acks are %+v", acks)
	}
	acks := s.PublishEach(t.Context(), 3, messages(3, 3))
	if !acks[0].Duplicate || !errors.Is(acks[1].Err, bus.ErrMoved) || !errors.Is(acks[2].Err, bus.ErrMoved) {
		t.Errorf("acks are %+v", acks)
	}
	holds(t, s, 3)
}

func TestLargestMessageTravelsInABatch(t *testing.T) {
	t.Parallel()
	s := stream(t)
	batch := messages(1, 64)
	for i := range batch {
		batch[i].Payload = make([]byte, bus.MaxMessage-1024)
	}
	if _, err := s.PublishBatch(t.Context(), 0, batch); err != nil {
		t.Fatal(err)
	}
	batch[63].ID, batch[63].Payload = "too large", make([]byte, bus.MaxMessage)
	if _, err := s.PublishBatch(t.Context(), 64, batch[63:]); err == nil {
		t.Error("a message above the limit was taken")
	}
	holds(t, s, 64)
}
