package outbox_test

import (
	"context"
	"testing"

	"github.com/google/uuid"

	"github.com/naksha-cloud/naksha/pkg/bus"
	"github.com/naksha-cloud/naksha/pkg/outbox"
	"github.com/naksha-cloud/naksha/pkg/sim"
)

// TestSimulationCatches puts one flaw at a time into the house: each must break a rule within the seeds.
func TestSimulationCatches(t *testing.T) {
	t.Parallel()
	for name, flaw := range map[string]simFlaws{
		"facts that are forgotten before they are published": {record: func(r outbox.RelayRecord) outbox.RelayRecord { return &hurried{RelayRecord: r} }},
		"facts that are read out of order":                   {record: func(r outbox.RelayRecord) outbox.RelayRecord { return unsorted{r} }},
		"acknowledgements that nobody gave":                  {publish: func(s outbox.RelayStream) outbox.RelayStream { return credulous{s} }},
		"an inbox that forgets what it took":                 {flawed: flaws{forgetsHeads: true}},
		"an inbox that forgets what it parked":               {flawed: flaws{forgetsParked: true}},
		"effects that survive a rollback":                    {flawed: flaws{leaksEffects: true}},
		"an inbox that asks nobody":                          {deaf: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sim.Catch(t, facts(flaw))
		})
	}
}

// hurried settles what it has only read.
type hurried struct {
	outbox.RelayRecord
	read []int64
}

func (h *hurried) Pending(ctx context.Context, except []int64, limit int) ([]outbox.Event, error) {
	events, err := h.RelayRecord.Pending(ctx, except, limit)
	for _, e := range events {
		h.read = append(h.read, e.Seq)
	}
	return events, err
}

func (h *hurried) Settle(ctx context.Context, holder uuid.UUID, _ []int64, last uint64) (bool, error) {
	return h.RelayRecord.Settle(ctx, holder, h.read, last)
}

// unsorted brings the newest first.
type unsorted struct{ outbox.RelayRecord }

func (u unsorted) Pending(ctx context.Context, except []int64, limit int) ([]outbox.Event, error) {
	events, err := u.RelayRecord.Pending(ctx, except, limit)
	for i, j := 0, len(events)-1; i < j; i, j = i+1, j-1 {
		events[i], events[j] = events[j], events[i]
	}
	return events, err
}

// credulous takes silence for an acknowledgement.
type credulous struct{ outbox.RelayStream }

func (c credulous) PublishEach(ctx context.Context, last uint64, messages []bus.Message) []bus.Ack {
	acks := c.RelayStream.PublishEach(ctx, last, messages)
	for i := range acks {
		acks[i].Err = nil
	}
	return acks
}
