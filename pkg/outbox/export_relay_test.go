package outbox

import "github.com/naksha-cloud/naksha/pkg/pg"

// RelayStore is a Pump's lease and record in Postgres.
type RelayStore interface {
	RelayLease
	RelayRecord
}

// NewRelayStore lets tests drive a Pump by hand.
func NewRelayStore(p *pg.Pool) RelayStore { return relayRecord{p} }
