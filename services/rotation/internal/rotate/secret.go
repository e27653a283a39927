package rotate

import (
	"context"

	"github.com/naksha-cloud/naksha/services/rotation/internal/generation"
)

// withSecret opens t's secret for one act, so that it is in memory no longer than the act takes.
func (e *Engine) withSecret(ctx context.Context, t Target,
	act func(context.Context, Target, generation.Secret) (string, error),
) (string, error) {
	secret, err := e.journal.Secret(ctx, t.Credential, t.Generation)
	if err != nil {
		return "", err
	}
	return act(ctx, t, secret)
}
