package jobs_test

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/naksha-cloud/naksha/pkg/jobs"
	"github.com/naksha-cloud/naksha/pkg/pg/pgtest"
)

func TestJobOfATransactionRunsOnlyAfterCommit(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t, nil)
	c, seen := newClient(t, pool), make(chan string, 4)
	jobs.Handle(c, func(_ context.Context, job jobs.Job[note]) error { seen <- job.Args.Text; return nil }, jobs.Options{})
	start(t, c)
	insert := func(text string, end func(pgx.Tx) error) {
		tx, err := pool.Raw().Begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.InsertTx(t.Context(), tx, note{text}, jobs.InsertOptions{}); err != nil {
			t.Fatal(err)
		}
		if err := end(tx); err != nil {
			t.Fatal(err)
		}
	}
	insert("undone", func(tx pgx.Tx) error { return tx.Rollback(t.Context()) })
	insert("done", func(tx pgx.Tx) error { return tx.Commit(t.Context()) })
	if got := receive(t, seen); got != "done" {
		t.Errorf("ran %q", got)
	}
}

func TestUniqueKeyKeepsOneUnfinishedJob(t *testing.T) {
	t.Parallel()
	c, release, ran := newClient(t, pgtest.Pool(t, nil)), make(chan struct{}), make(chan int64, 8)
	jobs.Handle(c, func(_ context.Context, job jobs.Job[note]) error { ran <- job.ID; <-release; return nil }, jobs.Options{})
	start(t, c)
	insert := func(text, key string) int64 {
		id, err := c.Insert(t.Context(), note{text}, jobs.InsertOptions{UniqueKey: key})
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	first := insert("a", "k")
	if second := insert("b", "k"); second != first {
		t.Errorf("second job got id %d, want that of the first, %d", second, first)
	}
	if other := insert("a", "other"); other == first {
		t.Error("another key was refused")
	}
	if plain, again := insert("a", ""), insert("a", ""); plain == again {
		t.Error("jobs without a key were refused")
	}
	close(release)
	for range 4 {
		receive(t, ran)
	}
}

func TestLaterJobWaits(t *testing.T) {
	t.Parallel()
	c, ran := newClient(t, pgtest.Pool(t, nil)), make(chan time.Time, 1)
	jobs.Handle(c, func(context.Context, jobs.Job[note]) error { ran <- time.Now(); return nil }, jobs.Options{})
	start(t, c)
	at := time.Now().Add(2 * time.Second)
	if _, err := c.Insert(t.Context(), note{}, jobs.InsertOptions{At: at}); err != nil {
		t.Fatal(err)
	}
	if got := receive(t, ran); got.Before(at) {
		t.Errorf("ran %v too early", at.Sub(got))
	}
}
