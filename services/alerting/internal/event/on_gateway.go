package event

import (
	"context"
	"fmt"
	"time"

	"github.com/naksha-cloud/naksha/pkg/outbox"
	"github.com/naksha-cloud/naksha/pkg/pg"
	gatewayv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/gateway/v1"
)

// calm is how long after a spike's last report the alert ends.
const calm = 15 * time.Minute

// onAuthenticationFailuresSpiked fires while the gateway keeps reporting. A report that was long on its way still pages.
func onAuthenticationFailuresSpiked(
	in Intake,
) func(context.Context, *pg.Tx, outbox.Meta, *gatewayv1.AuthenticationFailuresSpiked) error {
	return func(ctx context.Context, tx *pg.Tx, meta outbox.Meta, m *gatewayv1.AuthenticationFailuresSpiked) error {
		from, until := meta.Time, tx.Now.Add(calm)
		if m.GetStartTime().IsValid() && m.GetStartTime().AsTime().Before(until) {
			from = m.GetStartTime().AsTime()
		}
		return take(ctx, tx, in, meta, condition{
			name: "AuthenticationFailuresSpiked", severity: "sev2", area: "security",
			summary: fmt.Sprintf("%d of %d authentications were refused", m.GetFailureCount(), m.GetAttemptCount()),
			from:    from, until: until,
		})
	}
}
