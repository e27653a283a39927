// Package pgtest gives a test a started pool on a database of its own.
package pgtest

import (
	"context"
	"testing"

	"github.com/naksha-cloud/naksha/pkg/clock"
	"github.com/naksha-cloud/naksha/pkg/local/localtest"
	"github.com/naksha-cloud/naksha/pkg/pg"
)

// Pool returns a started pool on a fresh database, stopped at the end of the test. c nil = the machine's clock.
// TestMain must return localtest.Run.
func Pool(t testing.TB, c clock.Clock) *pg.Pool {
	t.Helper()
	return Open(t, localtest.Database(t), c)
}

// Open returns a started pool on the database of url, stopped at the end of the test.
func Open(t testing.TB, url string, c clock.Clock) *pg.Pool {
	t.Helper()
	pool := pg.New(pg.Config{URL: url, Clock: c})
	ctx, cancel := context.WithTimeout(context.Background(), localtest.Patience)
	defer cancel()
	if err := pool.Start(ctx); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = pool.Stop(context.Background()) })
	return pool
}
