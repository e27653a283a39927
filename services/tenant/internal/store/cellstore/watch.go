package cellstore

import (
	"context"
	"fmt"
	"time"

	"github.com/naksha-cloud/naksha/pkg/pg"
	"github.com/naksha-cloud/naksha/services/tenant/internal/watch"
)

// Guard runs f in one transaction, which keeps the locks that the guard's queries need: a lock that a transaction holds
// already takes no further entry of the server's table, so they work when it is full. No new connection would.
func (c *Cell) Guard(ctx context.Context, f func(context.Context, watch.Guard) error) error {
	if err := c.connect(ctx); err != nil {
		return err
	}
	return c.config.Pool.InTx(ctx, func(ctx context.Context, tx *pg.Tx) error {
		if _, err := tx.Exec(ctx, query("guard")); err != nil {
			return reachable(fmt.Errorf("guard: %w", err))
		}
		return f(ctx, guard{tx})
	})
}

type guard struct{ tx *pg.Tx }

func (g guard) EndGreedy(ctx context.Context, share float64) ([]watch.Ended, error) {
	return g.endBy(ctx, "end_greedy", share)
}

func (g guard) EndHolders(ctx context.Context, patience time.Duration) ([]watch.Ended, error) {
	return g.endBy(ctx, "end_holders", patience.Milliseconds())
}

func (g guard) endBy(ctx context.Context, name string, limit any) ([]watch.Ended, error) {
	if _, err := g.tx.Exec(ctx, "SELECT pg_stat_clear_snapshot()"); err != nil { // else it sees what its first look saw
		return nil, reachable(fmt.Errorf("%s: %w", name, err))
	}
	rows, err := g.tx.Query(ctx, query(name), limit)
	ended, err := pg.All[watch.Ended](rows, err)
	if err != nil {
		return nil, reachable(fmt.Errorf("%s: %w", name, err))
	}
	return ended, nil
}
