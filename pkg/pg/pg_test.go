package pg_test

import (
	"context"
	"errors"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/naksha-cloud/naksha/pkg/clock"
	"github.com/naksha-cloud/naksha/pkg/fault"
	"github.com/naksha-cloud/naksha/pkg/local/localtest"
	"github.com/naksha-cloud/naksha/pkg/pg"
	"github.com/naksha-cloud/naksha/pkg/pg/pgtest"
)

func TestMain(m *testing.M) { os.Exit(localtest.Run(m)) }

func TestTransactionHasOneNow(t *testing.T) {
	t.Parallel()
	fake := clock.NewFake(time.Date(2026, 11, 22, 8, 0, 0, 123456789, time.UTC))
	pool := pgtest.Pool(t, fake)
	err := pool.InTx(t.Context(), func(ctx context.Context, tx *pg.Tx) error {
		first := tx.Now
		fake.Advance(time.Hour)
		if tx.Now != first {
			t.Error("now moved within the transaction")
		}
		var back time.Time
		if err := tx.QueryRow(ctx, "SELECT $1::timestamptz", tx.Now).Scan(&back); err != nil {
			return err
		}
		if !back.Equal(tx.Now) {
			t.Errorf("Postgres keeps %s of %s", back, tx.Now)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestHookRunsAfterCommitOnly(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t, nil)
	ran := 0
	hook := func(_ context.Context, tx *pg.Tx) error {
		tx.AfterCommit(func() { ran++ })
		return nil
	}
	if err := pool.InTx(t.Context(), hook); err != nil || ran != 1 {
		t.Fatalf("ran %d times, %v", ran, err)
	}
	stop := errors.New("stop")
	err := pool.InTx(t.Context(), func(ctx context.Context, tx *pg.Tx) error { return errors.Join(hook(ctx, tx), stop) })
	if !errors.Is(err, stop) || ran != 1 {
		t.Fatalf("after a rollback the hook ran: %d, %v", ran, err)
	}
}

func TestDeadlockIsTriedAgain(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t, nil)
	mustExec(t, pool, "CREATE TABLE row_of (id int PRIMARY KEY, n int); INSERT INTO row_of VALUES (1, 0), (2, 0)")
	var both sync.WaitGroup
	both.Add(2)
	var done sync.WaitGroup
	for _, order := range [][]int{{1, 2}, {2, 1}} {
		meet := sync.OnceFunc(func() { both.Done(); both.Wait() })
		done.Go(func() {
			err := pool.InTx(t.Context(), func(ctx context.Context, tx *pg.Tx) error {
				if _, err := tx.Exec(ctx, "UPDATE row_of SET n = n + 1 WHERE id = $1", order[0]); err != nil {
					return err
				}
				meet()
				_, err := tx.Exec(ctx, "UPDATE row_of SET n = n + 1 WHERE id = $1", order[1])
				return err
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	done.Wait()
	var sum int
	if err := pool.QueryRow(t.Context(), "SELECT sum(n) FROM row_of").Scan(&sum); err != nil || sum != 4 {
		t.Fatalf("sum is %d, %v", sum, err)
	}
}

func TestPoolStartsAgainAfterStopAndRefusesWhileStopped(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t, nil)
	if err := errors.Join(pool.Stop(t.Context()), pool.Stop(t.Context())); err != nil {
		t.Fatal(err)
	}
	if _, err := pool.Exec(t.Context(), "SELECT 1"); fault.ReasonOf(err) != "DATABASE_STOPPED" {
		t.Fatalf("a stopped pool answered %v", err)
	}
	if err := pool.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := pool.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestWrongPasswordIsAnErrorWithoutThePassword(t *testing.T) {
	t.Parallel()
	url := strings.Replace(localtest.Database(t), "postgres:", "nobody:", 1)
	for _, bad := range []string{"postgres://u:hunter2@127.0.0.1:1/x?sslmode=wrong", strings.Replace(url, "://", "://x:hunter2@x", 1)} {
		err := pg.New(pg.Config{URL: bad}).Start(t.Context())
		if err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("got %v", err)
		}
	}
}

func migrationsUpTo(n int) fstest.MapFS {
	all := []string{"CREATE TABLE a (id int)", "CREATE TABLE b (id int)", "UPDATE version_floor SET version = 3"}
	files := fstest.MapFS{}
	for i, sql := range all[:n] {
		files[[]string{"0001_a.sql", "0002_b.sql", "0003_floor.sql"}[i]] = &fstest.MapFile{Data: []byte(sql)}
	}
	return files
}

func TestTwoReplicasMigrateAtOnce(t *testing.T) {
	t.Parallel()
	url := localtest.Database(t)
	var done sync.WaitGroup
	for range 4 {
		pool := pgtest.Open(t, url, nil)
		done.Go(func() {
			if err := pg.Migrate(t.Context(), pool, migrationsUpTo(2), "version"); err != nil {
				t.Error(err)
			}
		})
	}
	done.Wait()
}

func TestOldReplicaAcceptsNewerSchemaUntilTheFloorIsRaised(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t, nil)
	for _, known := range []int{1, 2, 1} {
		if err := pg.Migrate(t.Context(), pool, migrationsUpTo(known), "version"); err != nil {
			t.Fatalf("knowing %d: %v", known, err)
		}
	}
	if err := pg.Migrate(t.Context(), pool, migrationsUpTo(3), "version"); err != nil {
		t.Fatal(err)
	}
	if err := pg.Migrate(t.Context(), pool, migrationsUpTo(2), "version"); fault.ReasonOf(err) != "SCHEMA_NEWER" {
		t.Fatalf("a raised floor gave %v", err)
	}
}

func mustExec(t *testing.T, pool *pg.Pool, sql string) {
	t.Helper()
	if _, err := pool.Exec(t.Context(), sql); err != nil {
		t.Fatal(err)
	}
}
