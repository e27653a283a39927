package outbox

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/naksha-cloud/naksha/pkg/bus"
)

// sync learns the stream's last sequence and compares it with what was acknowledged. One that is lower is believed when
// it was seen twice: a server that was cut off from its cluster may answer with an old one.
func (p *Pump) sync(ctx context.Context) error {
	state, err := p.config.Stream.Look(ctx)
	if err != nil {
		return err
	}
	settled, err := p.config.Record.Last(ctx)
	if err != nil {
		return fmt.Errorf("read the stream's last sequence: %w", err)
	}
	if was := max(settled, p.last); state.Last < was {
		if !p.suspected {
			p.suspected = true
			return fmt.Errorf("stream %s lost facts: its last sequence was %d and is %d", bus.StreamOf(p.config.Service), was, state.Last)
		}
		return p.restore(ctx, was, state)
	}
	if err := p.recognise(ctx, state.Last, max(settled, p.last)); err != nil {
		return err
	}
	if state.Last != p.last {
		p.ahead = nil // somebody else published: what was read may be old
	}
	p.synced, p.suspected = true, false
	p.looked, p.last, p.atomic = p.config.Now(), state.Last, state.Atomic
	return nil
}

// recognise refuses a stream that went on behind what the record knows: the database went back to an earlier state, and
// the stream did not. What the record would say next has versions that consumers may have taken from the other past.
func (p *Pump) recognise(ctx context.Context, last, known uint64) error {
	if last <= known {
		return nil
	}
	headers, ok, err := p.config.Stream.Headers(ctx, last)
	if err != nil || !ok {
		return err
	}
	at, timeErr := time.Parse(time.RFC3339Nano, headers[headerTime])
	id, idErr := uuid.Parse(headers[headerID])
	if err = errors.Join(timeErr, idErr); err == nil {
		ok, err = p.config.Record.Knows(ctx, at, id)
	}
	if err != nil || ok {
		return err
	}
	stream := bus.StreamOf(p.config.Service)
	return fmt.Errorf("message %d of stream %s is a fact that the database does not know: it was put back to an earlier state, "+
		"and NATS was not: stop the platform, remove stream %s (of our own NATS: the folder nats of the state directory), and start: "+
		"it is filled from the database", last, stream, stream)
}

// restore makes pending again what the stream lost. What it acknowledged and is not settled is pending still.
func (p *Pump) restore(ctx context.Context, was uint64, state bus.StreamState) error {
	var kept time.Time
	if state.Last > 0 {
		headers, ok, err := p.config.Stream.Headers(ctx, state.Last)
		if err != nil {
			return err
		}
		if at, err := time.Parse(time.RFC3339Nano, headers[headerTime]); ok && err == nil {
			kept = at
		}
	}
	facts, held, err := p.config.Record.Restore(ctx, p.holder, kept, state.Last)
	if err != nil {
		return fmt.Errorf("restore facts of stream %s: %w", bus.StreamOf(p.config.Service), err)
	}
	if !held {
		p.lose()
		return nil
	}
	p.behind, p.ahead, p.last = nil, nil, 0
	p.stats.Resets++
	if p.config.Reset != nil {
		p.config.Reset(StreamReset{Stream: bus.StreamOf(p.config.Service), Was: was, Is: state.Last, Facts: facts})
	}
	return p.sync(ctx)
}
