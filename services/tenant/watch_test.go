package tenant_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/naksha-cloud/naksha/pkg/conf"
	"github.com/naksha-cloud/naksha/pkg/local"
	"github.com/naksha-cloud/naksha/pkg/local/localtest"
	"github.com/naksha-cloud/naksha/pkg/pg"
	"github.com/naksha-cloud/naksha/pkg/service/servicetest"
	"github.com/naksha-cloud/naksha/services/tenant"
	"github.com/naksha-cloud/naksha/services/tenant/internal/store/cellstore"
	"github.com/naksha-cloud/naksha/services/tenant/internal/watch"
)

// fill takes locks until the server's table of them is full, and keeps them.
const fill = `DO $$ BEGIN
	FOR i IN 1..100000 LOOP
		BEGIN
			EXECUTE format('CREATE TABLE t%s (i int)', i);
		EXCEPTION WHEN out_of_memory THEN EXIT;
		END;
	END LOOP;
END $$`

func TestWhoFillsTheTableOfLocksLosesItsSessions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	server := smallPostgres(t, localtest.TempDir(t))
	w.config.Cell.URL = conf.Secret(server.SuperuserURL("postgres"))
	i := w.start(t, tenant.Deps{})
	made, other := i.create(t, "greedy").GetCredentials().GetDatabaseUrl(), i.create(t, "modest").GetCredentials().GetDatabaseUrl()
	greedy, idle, modest, super := login(t, made), login(t, made), login(t, other), login(t, server.SuperuserURL("postgres"))
	run(t, modest, "BEGIN", "CREATE TABLE few (i int)")
	run(t, greedy, "BEGIN")
	_, _ = greedy.Exec(t.Context(), fill) // the session may be ended before it is through
	servicetest.Eventually(t, func() error {
		if greedy.Ping(t.Context()) == nil {
			return errors.New("the session that took the locks lives")
		}
		var locks int // it is told first, and gives them back then
		err := super.QueryRow(t.Context(), "SELECT count(*) FROM pg_locks WHERE pid = $1", greedy.PgConn().PID()).Scan(&locks)
		if err == nil && locks > 0 {
			err = fmt.Errorf("it keeps %d locks", locks)
		}
		return err
	})
	run(t, modest, "CREATE TABLE more (i int)", "COMMIT")
	run(t, idle, "SELECT 1")                          // it held nothing
	run(t, login(t, made), "CREATE TABLE t1 (i int)") // nobody is locked out
}

// The guard is not asked before the table is full, and by then its session knows nothing any more: the server has told it
// to forget.
func TestGuardWorksWhenTheTableOfLocksIsFull(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	cellURL := smallPostgres(t, localtest.TempDir(t)).SuperuserURL("postgres")
	w.config.Cell.URL = conf.Secret(cellURL)
	i := w.start(t, tenant.Deps{})
	made := i.create(t, "greedy").GetCredentials().GetDatabaseUrl()
	if err := i.Stop(t.Context()); err != nil { // no watcher but ours
		t.Fatal(err)
	}
	greedy, other := login(t, made), login(t, cellURL)
	direct := cellstore.New(cellstore.Config{Pool: pg.New(pg.Config{URL: cellURL})})
	servicetest.Start(t, direct)
	err := direct.Guard(t.Context(), func(ctx context.Context, g watch.Guard) error {
		run(t, other, "DO $$ BEGIN FOR i IN 1..500 LOOP CREATE TABLE forget (i int); COMMIT; DROP TABLE forget; COMMIT; END LOOP; END $$")
		run(t, greedy, "BEGIN", fill)
		if _, err := other.Exec(ctx, "CREATE TABLE more (i int)"); pg.SQLState(err) != "53200" {
			t.Errorf("the table of locks is not full: %v", err)
		}
		ended, err := g.EndGreedy(ctx, watch.LockShare)
		if err != nil || len(ended) != 1 || ended[0].Sessions != 1 {
			t.Errorf("ended %v, %v", ended, err)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	servicetest.Eventually(t, func() error {
		_, err := other.Exec(t.Context(), "CREATE TABLE more (i int)")
		return err
	})
}

func TestGreediestGoesWhenCustomersHoldHalfOfTheLocks(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.config.Cell.URL = conf.Secret(smallPostgres(t, localtest.TempDir(t)).SuperuserURL("postgres"))
	i := w.start(t, tenant.Deps{})
	sessions := make([]*pgx.Conn, 7) // each keeps less than its share of 192; the half is 960
	for n := range sessions {
		sessions[n] = login(t, i.create(t, "crowd").GetCredentials().GetDatabaseUrl())
		run(t, sessions[n], "BEGIN", "DO $$ BEGIN FOR i IN 1..150 LOOP EXECUTE format('CREATE TABLE t%s (i int)', i); END LOOP; END $$")
	}
	servicetest.Eventually(t, func() error {
		alive := 0
		for _, session := range sessions {
			if session.Ping(t.Context()) == nil {
				alive++
			}
		}
		if alive != 6 {
			return fmt.Errorf("%d of 7 sessions live", alive)
		}
		return nil
	})
}

func TestNeighbourWhoReadOfAViewHoldsNobodyUp(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	i := w.start(t, tenant.Deps{})
	owner, neighbour := login(t, i.create(t, "held up").GetCredentials().GetDatabaseUrl()), login(t, i.create(t, "curious").GetCredentials().GetDatabaseUrl())
	run(t, owner, "CREATE TABLE t (v text)", "CREATE VIEW seen AS SELECT v FROM t")
	run(t, neighbour, "BEGIN", "SELECT definition FROM pg_views")
	run(t, owner, "ALTER TABLE t ADD COLUMN i int") // it waits for as long as the neighbour's transaction is open
	if neighbour.Ping(t.Context()) == nil {
		t.Error("the neighbour's session lives: the test shows nothing")
	}
}

// smallPostgres is a server whose table of locks has some 3,000 entries, of which only its sessions take any: a vacuum in the
// background would give some back in a moment of its own.
func smallPostgres(t *testing.T, dir string) *local.Postgres {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), localtest.Patience)
	defer cancel()
	p, err := local.StartPostgres(ctx, local.PostgresConfig{
		Dir: dir, SuperuserPassword: "secret", InitCache: localtest.InitCache(),
		Settings: map[string]string{"max_connections": "30", "max_locks_per_transaction": "64", "fsync": "off", "autovacuum": "off"},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return p
}
