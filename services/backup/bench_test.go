package backup_test

import (
	"context"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/naksha-cloud/naksha/pkg/local"
	"github.com/naksha-cloud/naksha/pkg/local/localtest"
	backupv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/backup/v1"
	"github.com/naksha-cloud/naksha/services/backup"
)

// shop is about 100 MB of rows in four tables with indexes and foreign keys.
var shop = []string{
	`CREATE TABLE customer (id bigint PRIMARY KEY, name text NOT NULL, email text NOT NULL UNIQUE, note text, since timestamptz NOT NULL)`,
	`CREATE TABLE product (id bigint PRIMARY KEY, title text NOT NULL, price numeric(10,2) NOT NULL, body text)`,
	`CREATE TABLE purchase (id bigint PRIMARY KEY, customer_id bigint NOT NULL REFERENCES customer, at timestamptz NOT NULL, state text NOT NULL)`,
	`CREATE TABLE line (purchase_id bigint NOT NULL REFERENCES purchase, number int, product_id bigint NOT NULL REFERENCES product, amount int NOT NULL, remark text, PRIMARY KEY (purchase_id, number))`,
	`INSERT INTO customer SELECT i, 'Customer ' || md5(i::text), md5(i::text) || '@example.com', repeat(md5((i * 7)::text) || ' ', 3), '2026-01-01'::timestamptz + make_interval(secs => i) FROM generate_series(1, 120000) i`,
	`INSERT INTO product SELECT i, 'Product ' || i, (i % 10000) / 100.0, repeat(md5((i * 3)::text) || ' ', 12) FROM generate_series(1, 20000) i`,
	`INSERT INTO purchase SELECT i, 1 + i % 120000, '2026-01-01'::timestamptz + make_interval(secs => i), (ARRAY['new', 'paid', 'sent'])[1 + i % 3] FROM generate_series(1, 300000) i`,
	`INSERT INTO line SELECT 1 + i / 3, i % 3, 1 + i % 20000, i % 9, md5(i::text) FROM generate_series(0, 899999) i`,
	`CREATE INDEX ON customer (since)`, `CREATE INDEX ON purchase (customer_id)`, `CREATE INDEX ON line (product_id)`, `CREATE INDEX ON purchase (state, at)`,
}

// bench is a started service with the shop in a workspace, on a server that keeps its promises of durability.
type bench struct {
	*world
	*instance
	server *local.Postgres
	ref    string
	dump   string // file of pg_dump -Fc
}

func newBench(b *testing.B) *bench {
	b.Helper()
	server := durable(b)
	w := newWorldOn(b, server.SuperuserURL("postgres"))
	standard := backup.DefaultConfig()
	w.config.Poll, w.config.Lease, w.config.Retry = standard.Poll, standard.Lease, standard.Retry
	w.config.PgDump = server.Binaries().Path("pg_dump")
	i := w.start(b)
	ref, customer := w.workspace(b)
	run(b, customer, shop...)
	run(b, w.cell, "VACUUM ANALYZE", "CHECKPOINT")
	return &bench{world: w, instance: i, server: server, ref: ref, dump: filepath.Join(localtest.TempDir(b), "dump")}
}

// durable is a server as in production: what it acknowledges is on disk.
func durable(b *testing.B) *local.Postgres {
	b.Helper()
	server, err := local.StartPostgres(b.Context(), local.PostgresConfig{
		Dir: filepath.Join(localtest.TempDir(b), "pg"), SuperuserPassword: "secret", InitCache: localtest.InitCache(),
	})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := server.Stop(context.Background()); err != nil {
			b.Error(err)
		}
	})
	return server
}

// tool runs one of Postgres' own tools and returns how long it took.
func (b *bench) tool(t testing.TB, name string, args ...string) time.Duration {
	t.Helper()
	began := time.Now()
	if out, err := exec.Command(b.server.Binaries().Path(name), args...).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", name, err, out)
	}
	return time.Since(began)
}

func (b *bench) pgDump(t testing.TB) time.Duration {
	_ = os.Remove(b.dump)
	return b.tool(t, "pg_dump", "-Fc", "-n", "w_"+b.ref, "-f", b.dump, b.cellURL)
}

// BenchmarkSnapshot takes a snapshot, read back and verified in two regions, against one pg_dump -Fc to a file.
func BenchmarkSnapshot(b *testing.B) {
	w := newBench(b)
	var ours, theirs time.Duration
	for b.Loop() {
		theirs += w.pgDump(b)
		began := time.Now()
		s := w.verified(b, w.ref)
		ours += time.Since(began)
		b.SetBytes(s.GetRawBytes())
	}
	b.ReportMetric(theirs.Seconds()/float64(b.N), "s/pg_dump")
	b.ReportMetric(ours.Seconds()/float64(b.N), "s/snapshot")
	b.ReportMetric(theirs.Seconds()/ours.Seconds(), "x_pg_dump")
}

// BenchmarkRestore restores to the last step, compared and swapped, against pg_restore -j2 into an empty database.
func BenchmarkRestore(b *testing.B) {
	w := newBench(b)
	w.pgDump(b)
	s := w.verified(b, w.ref)
	var ours, theirs time.Duration
	for b.Loop() {
		run(b, w.cell, "CHECKPOINT")
		theirs += w.pgRestore(b)
		run(b, w.cell, "CHECKPOINT")
		began := time.Now()
		name := w.beginRestore(b, s.GetName(), "")
		for w.state(b, name) < backupv1.Restore_STATE_COMPLETED {
			pause(b)
		}
		ours += time.Since(began)
		w.awaitRestore(b, name, backupv1.Restore_STATE_COMPLETED)
		b.SetBytes(s.GetRawBytes())
	}
	b.ReportMetric(theirs.Seconds()/float64(b.N), "s/pg_restore")
	b.ReportMetric(ours.Seconds()/float64(b.N), "s/restore")
	b.ReportMetric(theirs.Seconds()/ours.Seconds(), "x_pg_restore")
}

// pause is how long the benchmark waits before it asks again: asking often would cost what is measured.
func pause(t testing.TB) {
	timer := time.NewTimer(10 * time.Millisecond)
	select {
	case <-timer.C:
	case <-t.Context().Done():
	}
}

func (b *bench) state(t testing.TB, name string) backupv1.Restore_State {
	t.Helper()
	r, err := b.restores.GetRestore(operator(t), &backupv1.GetRestoreRequest{Name: name})
	if err != nil {
		t.Fatal(err)
	}
	return r.GetRestore().GetState()
}

func (b *bench) pgRestore(t testing.TB) time.Duration {
	name := "bench_" + letters()
	run(t, b.cell, "CREATE DATABASE "+name)
	defer run(t, b.cell, "DROP DATABASE "+name+" WITH (FORCE)")
	u, err := url.Parse(b.cellURL)
	if err != nil {
		t.Fatal(err)
	}
	u.Path = "/" + name
	return b.tool(t, "pg_restore", "-j2", "-d", u.String(), b.dump)
}
