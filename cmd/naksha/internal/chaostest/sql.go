package chaostest

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// count runs a query of ids and counts over a connection of its own: those of a pool may have died with their server.
func count(ctx context.Context, url, query string) (map[string]int, error) {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	defer conn.Close(ctx)
	rows, err := conn.Query(ctx, query)
	if err != nil {
		return nil, err
	}
	found := map[string]int{}
	var id string
	var n int
	_, err = pgx.ForEachRow(rows, []any{&id, &n}, func() error {
		found[id] += n
		return nil
	})
	return found, err
}
