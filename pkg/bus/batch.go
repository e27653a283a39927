package bus

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Errors of publishing after a known sequence. Neither is a failure of the bus.
var (
	// ErrMoved says that the stream's last sequence is another than the publisher's: somebody else published, or the
	// stream was reset. Nothing was stored.
	ErrMoved = errors.New("the stream's last sequence is another")
	// ErrDuplicate says that the stream holds one of the batch's messages already. Nothing of the batch was stored.
	ErrDuplicate = errors.New("the batch contains a message that the stream holds")
)

// Headers of atomic batches (nats-architecture-and-design, ADR-50).
const (
	headerBatchID       = "Nats-Batch-Id"
	headerBatchSequence = "Nats-Batch-Sequence"
	headerBatchCommit   = "Nats-Batch-Commit"
	// MaxBatch is how many messages one batch may have: the server's limit.
	MaxBatch = 1000
)

// Error codes of the server (nats-server, server/errors.json).
const (
	codeDuplicateInBatch  = 10201
	codeWrongLastSequence = 10071
	codeWrongLastConstant = 10164
)

// publishTime bounds each publication, from the first message to the acknowledgement.
const publishTime = 5 * time.Second

// Ack is what became of one message.
type Ack struct {
	Sequence  uint64 // in the stream
	Duplicate bool   // the stream held it already
	Err       error  // it is not stored, or nobody knows
}

// wire makes the message as NATS sends it, with room for more headers. Each header's value is a slice of one array.
func (m Message) wire(more int) *nats.Msg {
	msg := &nats.Msg{Subject: m.Subject, Data: m.Payload, Header: make(nats.Header, len(m.Headers)+1+more)}
	values := make([]string, 0, len(m.Headers)+1)
	add := func(k, v string) {
		values = append(values, v)
		msg.Header[k] = values[len(values)-1 : len(values) : len(values)]
	}
	for k, v := range m.Headers {
		add(k, v)
	}
	add(jetstream.MsgIDHeader, m.ID)
	return msg
}

// PublishBatch stores all messages or none, at most MaxBatch, and returns the sequence of the last one. The stream's
// last sequence must be last: a publisher that was stopped for a while cannot push in behind the one that took over.
// It returns ErrMoved and ErrDuplicate; after any other error the batch may have been stored.
func (s *Stream) PublishBatch(ctx context.Context, last uint64, messages []Message) (uint64, error) {
	conn, _, err := s.bus.started()
	if err != nil {
		return 0, err
	}
	if len(messages) == 0 || len(messages) > MaxBatch {
		return 0, fmt.Errorf("a batch has 1 to %d messages, not %d", MaxBatch, len(messages))
	}
	ctx, cancel := context.WithTimeout(ctx, publishTime)
	defer cancel()
	id := rand.Text()
	for i, m := range messages {
		msg := m.wire(4)
		msg.Header[headerBatchID] = []string{id}
		msg.Header[headerBatchSequence] = []string{strconv.Itoa(i + 1)}
		if i == 0 {
			msg.Header[jetstream.ExpectedLastSeqHeader] = []string{strconv.FormatUint(last, 10)}
		}
		if i == len(messages)-1 {
			return s.commit(ctx, conn, msg, id, last+uint64(len(messages)))
		}
		if err := conn.PublishMsg(msg); err != nil {
			return 0, fmt.Errorf("publish batch to %s: %w", s.name, err)
		}
	}
	return 0, nil
}

// commit sends a batch's last message and waits until the whole is stored up to sequence want.
func (s *Stream) commit(ctx context.Context, conn *nats.Conn, msg *nats.Msg, id string, want uint64) (uint64, error) {
	msg.Header[headerBatchCommit] = []string{"1"}
	reply, err := conn.RequestMsgWithContext(ctx, msg)
	if err != nil {
		return 0, fmt.Errorf("commit batch to %s: %w", s.name, err)
	}
	var ack struct {
		Error    *jetstream.APIError `json:"error"`
		Sequence uint64              `json:"seq"`
		Batch    string              `json:"batch"`
	}
	if err := json.Unmarshal(reply.Data, &ack); err != nil {
		return 0, fmt.Errorf("read acknowledgement of %s: %w", s.name, err)
	}
	switch {
	case ack.Error != nil:
		return 0, fmt.Errorf("commit batch to %s: %w", s.name, meaning(ack.Error))
	case ack.Batch != id || ack.Sequence != want:
		return 0, fmt.Errorf("stream %s acknowledged sequence %d of batch %q, not %d of %q", s.name, ack.Sequence, ack.Batch, want, id)
	}
	return ack.Sequence, nil
}

// meaning names the server's errors that a publisher acts on.
func meaning(err error) error {
	var api *jetstream.APIError
	if !errors.As(err, &api) {
		return err
	}
	switch api.ErrorCode {
	case codeDuplicateInBatch:
		return ErrDuplicate
	case codeWrongLastSequence, codeWrongLastConstant:
		return ErrMoved
	}
	return err
}

// PublishEach stores messages singly, all on their way at once: the first if the stream's last sequence is last, each
// next one if its predecessor was stored. It returns what became of each. A failed message may leave later ones stored
// (somebody else's message makes up the count), so the messages must not depend on each other's order.
func (s *Stream) PublishEach(ctx context.Context, last uint64, messages []Message) []Ack {
	ctx, cancel := context.WithTimeout(ctx, publishTime)
	defer cancel()
	acks := make([]Ack, len(messages))
	_, js, err := s.bus.started()
	pending := make([]jetstream.PubAckFuture, len(messages))
	for i, m := range messages {
		if err == nil {
			pending[i], err = js.PublishMsgAsync(m.wire(2),
				jetstream.WithExpectLastSequence(last+uint64(i)), jetstream.WithRetryAttempts(0))
		}
		acks[i].Err = err
	}
	for i, p := range pending {
		if acks[i].Err == nil {
			acks[i] = s.await(ctx, p)
		}
	}
	return acks
}

func (s *Stream) await(ctx context.Context, p jetstream.PubAckFuture) Ack {
	select {
	case ack := <-p.Ok():
		return Ack{Sequence: ack.Sequence, Duplicate: ack.Duplicate}
	case err := <-p.Err():
		return Ack{Err: fmt.Errorf("publish to %s: %w", s.name, meaning(err))}
	case <-ctx.Done():
		return Ack{Err: fmt.Errorf("publish to %s: %w", s.name, ctx.Err())}
	}
}
