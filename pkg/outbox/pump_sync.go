package outbox

import (
	"context"
	"fmt"
	"time"

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
	if state.Last != p.last {
		p.ahead = nil // somebody else published: what was read may be old
	}
	p.synced, p.suspected = true, false
	p.looked, p.last, p.atomic = p.config.Now(), state.Last, state.Atomic
	return nil
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
