package jobs_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/naksha-cloud/naksha/pkg/jobs"
	"github.com/naksha-cloud/naksha/pkg/local/localtest"
	"github.com/naksha-cloud/naksha/pkg/pg"
	"github.com/naksha-cloud/naksha/pkg/pg/pgtest"
)

// childURL is the variable that makes the test binary a worker on that database, which never finishes its job.
const childURL = "NAKSHA_JOBS_TEST_CHILD"

// runChild says "running" once its job runs, and "idle" once it could take one.
func runChild(url string) int {
	ctx, pool := context.Background(), pg.New(pg.Config{URL: url})
	c, err := jobs.New(jobs.Config{Service: "child", Pool: pool})
	if err == nil {
		err = pool.Start(ctx)
	}
	if err == nil {
		jobs.Handle(c, func(ctx context.Context, _ jobs.Job[note]) error {
			fmt.Println("running")
			<-ctx.Done()
			return ctx.Err()
		}, jobs.Options{Timeout: time.Hour})
		err = c.Start(ctx)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	fmt.Println("idle")
	select {}
}

// startChild starts a worker process and waits until it has said so.
func startChild(t *testing.T, url string) (*exec.Cmd, *bufio.Scanner) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childURL+"="+url)
	cmd.Stderr = t.Output()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = cmd.Process.Kill(), cmd.Wait() })
	lines := bufio.NewScanner(out)
	expect(t, lines, "idle")
	return cmd, lines
}

func expect(t *testing.T, lines *bufio.Scanner, want string) {
	t.Helper()
	if !lines.Scan() || strings.TrimSpace(lines.Text()) != want {
		t.Fatalf("child said %q, want %q (%v)", lines.Text(), want, lines.Err())
	}
}

// insertFor keeps a job in url's database without running it.
func insertFor(t *testing.T, pool *pg.Pool) {
	t.Helper()
	_, err := pool.Exec(t.Context(), `INSERT INTO river_job (kind, args, max_attempts, metadata)
		VALUES ('note', '{"args":{"text":"orphan"}}', 5, '{}')`)
	if err != nil {
		t.Fatal(err)
	}
}

func TestKilledProcessJobRunsAtTheNextStart(t *testing.T) {
	t.Parallel()
	url := localtest.Database(t)
	child, lines := startChild(t, url)
	pool := pgtest.Open(t, url, nil)
	insertFor(t, pool)
	expect(t, lines, "running")
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = child.Wait() // killed
	began, ran := time.Now(), make(chan jobs.Job[note], 1)
	c := newClient(t, pool)
	jobs.Handle(c, func(_ context.Context, job jobs.Job[note]) error { ran <- job; return nil }, jobs.Options{})
	start(t, c)
	if job := receive(t, ran); job.Args.Text != "orphan" || job.Attempt != 2 {
		t.Errorf("job = %+v, want the orphan's second attempt", job)
	}
	if waited := time.Since(began); waited > localtest.Bar(5*time.Second) {
		t.Errorf("the job waited %v", waited)
	}
}

func TestKilledReplicaJobIsTakenOverByItsNeighbour(t *testing.T) {
	t.Parallel()
	url := localtest.Database(t)
	child, lines := startChild(t, url)
	pool, ran := pgtest.Open(t, url, nil), make(chan jobs.Job[note], 1)
	insertFor(t, pool)
	expect(t, lines, "running")
	c := newClient(t, pool)
	jobs.Handle(c, func(_ context.Context, job jobs.Job[note]) error { ran <- job; return nil }, jobs.Options{})
	start(t, c)
	select {
	case job := <-ran:
		t.Fatalf("took %+v from a living instance", job)
	case <-time.After(7 * time.Second): // longer than one look
	}
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if job := receive(t, ran); job.Attempt != 2 {
		t.Errorf("job = %+v, want the second attempt", job)
	}
	if err := c.Ready(t.Context()); err != nil {
		t.Errorf("not ready: %v", err)
	}
}

func TestJobsGoOnAfterEveryConnectionBroke(t *testing.T) {
	t.Parallel()
	url := localtest.Database(t)
	c, ran := newClient(t, pgtest.Open(t, url, nil)), make(chan string, 1)
	jobs.Handle(c, func(_ context.Context, job jobs.Job[note]) error { ran <- job.Args.Text; return nil }, jobs.Options{})
	start(t, c)
	operator := pgtest.Open(t, url, nil)
	_, err := operator.Exec(t.Context(), `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
		WHERE datname = current_database() AND pid <> pg_backend_pid()`)
	if err != nil {
		t.Fatal(err)
	}
	insertFor(t, operator)
	if got := receive(t, ran); got != "orphan" {
		t.Errorf("ran %q", got)
	}
	locked := `SELECT count(*) = 1 FROM pg_locks JOIN pg_database ON pg_database.oid = database
		WHERE datname = current_database() AND locktype = 'advisory'`
	waitFor(t, operator, locked) // the instance proves again that it lives
}
