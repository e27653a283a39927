package bus

import (
	"context"
	"errors"
	"fmt"
	"reflect"

	"github.com/nats-io/nats.go/jetstream"
)

// Stream is the stream that a service's facts are in, as the service that owns it sees it.
type Stream struct {
	bus     *Bus
	service string
	name    string
}

// Stream is a service's own stream.
func (b *Bus) Stream(service string) *Stream {
	return &Stream{bus: b, service: service, name: StreamOf(service)}
}

// StreamState is what a stream says of itself.
type StreamState struct {
	Last   uint64 // sequence of the last message, also when that is gone; 0 = none ever
	Atomic bool   // batches are allowed
	Bytes  uint64 // stored
	Bound  uint64 // bytes at which it refuses, and the outbox keeps
}

// Look returns the stream's state. A stream that is missing or configured otherwise is made, or brought up to date; one
// that is as it should be is left alone, so that it can be made by somebody else.
func (s *Stream) Look(ctx context.Context) (StreamState, error) {
	_, js, err := s.bus.started()
	if err != nil {
		return StreamState{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, publishTime)
	defer cancel()
	stream, err := js.Stream(ctx, s.name)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		stream, err = js.CreateStream(ctx, s.config(jetstream.StreamConfig{}))
	}
	if err != nil {
		return StreamState{}, fmt.Errorf("look at stream %s: %w", s.name, err)
	}
	info := stream.CachedInfo()
	if want := s.config(info.Config); !reflect.DeepEqual(want, info.Config) {
		if info, err = s.update(ctx, js, want); err != nil {
			return StreamState{}, err
		}
	}
	return StreamState{
		Last: info.State.LastSeq, Atomic: info.Config.AllowAtomicPublish, Bytes: info.State.Bytes, Bound: uint64(info.Config.MaxBytes),
	}, nil
}

func (s *Stream) update(ctx context.Context, js jetstream.JetStream, c jetstream.StreamConfig) (*jetstream.StreamInfo, error) {
	stream, err := js.UpdateStream(ctx, c)
	if err != nil {
		return nil, fmt.Errorf("bring stream %s up to date: %w", s.name, err)
	}
	return stream.CachedInfo(), nil
}

// config is c with everything that we decide.
func (s *Stream) config(c jetstream.StreamConfig) jetstream.StreamConfig {
	c.Name, c.Subjects = s.name, []string{"naksha." + s.service + ".v1.>"}
	c.Storage, c.Replicas = jetstream.FileStorage, s.bus.config.Replicas
	c.Retention, c.Discard = jetstream.LimitsPolicy, jetstream.DiscardNew
	c.MaxBytes = max(c.MaxBytes, s.bus.config.MaxBytes) // somebody may have made room
	c.MaxAge, c.MaxMsgSize, c.Duplicates = maxAge, MaxMessage, duplicates
	c.AllowAtomicPublish, c.DenyDelete, c.Compression = true, true, jetstream.S2Compression
	// Plain subscribers would also see batches that were never committed; republished subjects do not show those.
	c.RePublish = &jetstream.RePublish{
		Source:      "naksha." + s.service + ".v1.>",
		Destination: "naksha.feed." + s.service + ".v1.>",
	}
	return c
}

// Headers returns the headers of the stored message with this sequence; ok is false when the stream has none.
func (s *Stream) Headers(ctx context.Context, sequence uint64) (headers map[string]string, ok bool, err error) {
	_, js, err := s.bus.started()
	if err != nil {
		return nil, false, err
	}
	ctx, cancel := context.WithTimeout(ctx, publishTime)
	defer cancel()
	stream, err := js.Stream(ctx, s.name)
	if err != nil {
		return nil, false, fmt.Errorf("look at stream %s: %w", s.name, err)
	}
	msg, err := stream.GetMsg(ctx, sequence)
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("read message %d of %s: %w", sequence, s.name, err)
	}
	headers = map[string]string{}
	for k := range msg.Header {
		headers[k] = msg.Header.Get(k)
	}
	return headers, true, nil
}
