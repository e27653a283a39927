package cellstore

import (
	"context"
	"fmt"
	"time"

	"github.com/naksha-cloud/naksha/pkg/pg"
	"github.com/naksha-cloud/naksha/services/tenant/internal/watch"
)

// EndGreedy ends the sessions of workspaces that hold more than this share of the server's table of locks. It needs no
// entry of that table itself, so it works when the table is full.
func (c *Cell) EndGreedy(ctx context.Context, share float64) ([]watch.Ended, error) {
	return c.endBy(ctx, "end_greedy", share)
}

// EndHolders ends customers' sessions that keep somebody waiting for longer at a relation of another workspace.
func (c *Cell) EndHolders(ctx context.Context, patience time.Duration) ([]watch.Ended, error) {
	return c.endBy(ctx, "end_holders", patience.Milliseconds())
}

func (c *Cell) endBy(ctx context.Context, name string, limit any) ([]watch.Ended, error) {
	if err := c.connect(ctx); err != nil {
		return nil, err
	}
	rows, err := c.config.Pool.Query(ctx, query(name), limit)
	ended, err := pg.All[watch.Ended](rows, err)
	if err != nil {
		return nil, reachable(fmt.Errorf("%s: %w", name, err))
	}
	return ended, nil
}
