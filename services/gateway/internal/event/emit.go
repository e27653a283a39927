// Package event is the gateway's side of the bus: the facts that it tells, and its reactions to those of others.
package event

import (
	"context"
	"fmt"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/naksha-cloud/naksha/pkg/outbox"
	"github.com/naksha-cloud/naksha/pkg/pg"
	gatewayv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/gateway/v1"
	"github.com/naksha-cloud/naksha/services/gateway/internal/spike"
)

// authentication is the aggregate of facts about authentication as a whole.
const authentication = "gateway/authentication"

// Emitter records facts in the outbox.
type Emitter struct{ outbox *outbox.Outbox }

// NewEmitter makes an Emitter into an outbox.
func NewEmitter(o *outbox.Outbox) Emitter { return Emitter{outbox: o} }

// Emit converts a change to its fact and records it in the change's transaction.
func (e Emitter) Emit(ctx context.Context, tx *pg.Tx, change any) error {
	switch c := change.(type) {
	case spike.Count:
		return e.outbox.Emit(ctx, tx, outbox.Fact{Aggregate: authentication, Message: &gatewayv1.AuthenticationFailuresSpiked{
			FailureCount: c.Failures, AttemptCount: c.Attempts,
			StartTime: timestamppb.New(c.Start), EndTime: timestamppb.New(c.End),
		}})
	default:
		return fmt.Errorf("emit: %T is no fact of the gateway", change)
	}
}
