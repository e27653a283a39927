package up

import (
	"context"
	"fmt"
	"time"

	"github.com/naksha-cloud/naksha/pkg/clock"
	"github.com/naksha-cloud/naksha/pkg/local"
)

const (
	// brokerName is how the broker is called in readiness, metrics and incidents.
	brokerName = "NATS"
	// probeEvery is the time between two probes of the broker; each writes one message durably.
	probeEvery = 3 * time.Second
	// probeAgain is the time after a probe that failed: one alone may be the fault of a busy machine.
	probeAgain = time.Second
	// brokerStart bounds a restart.
	brokerStart = 20 * time.Second
)

// keepBroker probes the broker and restarts it in place when it failed twice and its disk works: a JetStream that met a
// full or failing disk stays frozen until it is restarted, however long the disk has been well again. Nothing is lost by
// a restart: facts stay in their services' outboxes until they are acknowledged.
func (p *Platform) keepBroker(ctx context.Context, broker *local.NATS) {
	failed := 0
	for pause := probeEvery; clock.Sleep(ctx, clock.System(), pause) == nil; {
		err := broker.Probe(ctx)
		if ctx.Err() != nil {
			return
		}
		if err == nil {
			failed, pause = 0, probeEvery
			p.worry(ctx, brokerName, nil)
			continue
		}
		failed, pause = failed+1, probeAgain
		if failed < 2 {
			continue
		}
		p.worry(ctx, brokerName, err)
		p.healBroker(ctx, broker)
	}
}

// healBroker restarts the broker, unless that would only freeze it again.
func (p *Platform) healBroker(ctx context.Context, broker *local.NATS) {
	if err := broker.Writable(); err != nil {
		p.worry(ctx, brokerName, fmt.Errorf("it is restarted when its disk works: %w", err))
		return
	}
	ctx, cancel := context.WithTimeout(ctx, brokerStart)
	defer cancel()
	if err := broker.Restart(ctx); err != nil {
		p.worry(ctx, brokerName, fmt.Errorf("it did not come back: %w", err))
		return
	}
	p.supervisor.troubles.restarted(brokerName)
}
