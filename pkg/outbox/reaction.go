package outbox

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"

	"github.com/naksha-cloud/naksha/pkg/bus"
	"github.com/naksha-cloud/naksha/pkg/pg"
)

// Meta is what is known of a fact beside its message.
type Meta struct {
	ID        uuid.UUID // event id
	Aggregate string    // resource name of what changed
	Version   int64     // dense within the aggregate
	Workspace string    // ref; empty = platform
	Time      time.Time // when it happened, UTC
}

// Reaction handles one type of fact.
type Reaction struct {
	Type   string // full name of the message
	handle func(ctx context.Context, tx *pg.Tx, meta Meta, payload []byte) error
}

// On makes a Reaction to facts of type M. f runs in the transaction that takes the fact in, often together with others:
// its effects and its own facts commit with it, once. It must not call other services. nil = done; bus.Retry, bus.Reject
// as there; any other error is tried again with growing delay. What fails all the same becomes a dead letter.
func On[M proto.Message](f func(ctx context.Context, tx *pg.Tx, meta Meta, m M) error) Reaction {
	var zero M
	return Reaction{
		Type: string(typeOf(zero)),
		handle: func(ctx context.Context, tx *pg.Tx, meta Meta, payload []byte) error {
			m := zero.ProtoReflect().New().Interface().(M)
			if err := proto.Unmarshal(payload, m); err != nil {
				return bus.Reject(fmt.Errorf("decode %s: %w", typeOf(zero), err))
			}
			return f(ctx, tx, meta, m)
		},
	}
}
