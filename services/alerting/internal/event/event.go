// Package event is where facts enter and leave the service: what alerting tells others about incidents, and which of
// others' facts are alerts. A fact that comes in becomes an alert in the transaction that takes it, so that no page
// hangs on a second message.
package event

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/naksha-cloud/naksha/pkg/bus"
	"github.com/naksha-cloud/naksha/pkg/outbox"
	"github.com/naksha-cloud/naksha/pkg/pg"
	"github.com/naksha-cloud/naksha/services/alerting/internal/alert"
	"github.com/naksha-cloud/naksha/services/alerting/internal/ingest"
)

// Intake takes alerts in, in a transaction.
type Intake interface {
	Take(ctx context.Context, tx *pg.Tx, posts []alert.Post) (ingest.Result, error)
}

// Reactions are the facts that alerting acts on, by the service that owns them.
func Reactions(in Intake) map[string][]outbox.Reaction {
	return map[string][]outbox.Reaction{
		"backup": {
			outbox.On(onRestoreFailed(in)), outbox.On(onSnapshotFailed(in)), outbox.On(onSnapshotVerified(in)),
		},
		"rotation": {outbox.On(onRotationBlocked(in)), outbox.On(onCredentialRotated(in))},
		"gateway":  {outbox.On(onAuthenticationFailuresSpiked(in))},
	}
}

// untilTold is how long an alert fires that a fact began and only a fact or a person ends.
const untilTold = 10 * 365 * 24 * time.Hour

// condition is a fact as an alert.
type condition struct {
	name     string // alertname
	severity string
	area     string
	labels   map[string]string
	summary  string
	details  map[string]string // annotations
	from     time.Time
	until    time.Time
}

// take hands a condition over. One that cannot be kept is a dead letter, never a silent loss.
func take(ctx context.Context, tx *pg.Tx, in Intake, meta outbox.Meta, c condition) error {
	labels := map[string]string{"alertname": c.name, "severity": c.severity, "area": c.area}
	for k, v := range c.labels {
		labels[k] = v
	}
	if meta.Workspace != "" {
		labels["workspace"] = meta.Workspace
	}
	annotations := map[string]string{"summary": tidy(c.summary)}
	for k, v := range c.details {
		annotations[k] = tidy(v)
	}
	result, err := in.Take(ctx, tx, []alert.Post{{Labels: labels, Annotations: annotations, StartsAt: c.from, EndsAt: c.until}})
	if err != nil {
		return fmt.Errorf("take %s: %w", c.name, err)
	}
	if len(result.Refusals) > 0 {
		return bus.Reject(errors.New(result.Refusals[0].Why))
	}
	return nil
}

// maxText bounds a text that another service wrote, in bytes.
const maxText = 2000

func tidy(s string) string {
	s = strings.ReplaceAll(strings.ToValidUTF8(s, ""), "\x00", "")
	if len(s) > maxText {
		s = strings.ToValidUTF8(s[:maxText], "")
	}
	return s
}
