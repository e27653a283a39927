package demo

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/naksha-cloud/naksha/cmd/naksha/internal/demo/outsider"
)

// connections is how many connections query without pause.
const connections = 4

// application is a customer's application: connections that query without pause, and change their login when they are told.
type application struct {
	login   atomic.Pointer[outsider.SQL]
	ended   atomic.Bool
	moved   chan error // one for each connection that changed its login, or failed to
	queries atomic.Int64
	wait    sync.WaitGroup

	mu     sync.Mutex
	failed int64
	first  error
}

func startApplication(ctx context.Context, login outsider.SQL) *application {
	a := &application{moved: make(chan error, connections)}
	a.login.Store(&login)
	for range connections {
		a.wait.Go(func() { a.run(ctx) })
	}
	return a
}

// run keeps one connection busy.
func (a *application) run(ctx context.Context) {
	login := a.login.Load()
	conn, err := login.Connect(ctx)
	for n := 1; !a.ended.Load() && ctx.Err() == nil; n++ {
		if newest := a.login.Load(); newest != login {
			conn, err = a.reconnect(ctx, conn, *newest)
			login = newest
			a.moved <- err
		}
		if err == nil {
			err = a.query(ctx, conn, n)
		}
		if err != nil {
			a.fail(err)
			leave(conn)
			conn, err = login.Connect(ctx)
		}
	}
	leave(conn)
}

// reconnect opens the new connection before it closes the old one.
func (a *application) reconnect(ctx context.Context, old *pgx.Conn, login outsider.SQL) (*pgx.Conn, error) {
	conn, err := login.Connect(ctx)
	if err == nil {
		leave(old)
		return conn, nil
	}
	return old, err
}

func (a *application) query(ctx context.Context, conn *pgx.Conn, n int) error {
	a.queries.Add(1)
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var places int
	return conn.QueryRow(ctx, "SELECT count(*) FROM cities WHERE id = $1", n%100000+1).Scan(&places)
}

func (a *application) fail(err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.failed++
	if a.first == nil {
		a.first = err
	}
}

// move tells the connections to change their login, and returns when all have.
func (a *application) move(ctx context.Context, login outsider.SQL) error {
	a.login.Store(&login)
	for range connections {
		select {
		case err := <-a.moved:
			if err != nil {
				return err
			}
		case <-ctx.Done():
			return fmt.Errorf("not every connection moved: %w", context.Cause(ctx))
		}
	}
	return nil
}

// stop ends the connections after the query that each is at. A second stop does nothing.
func (a *application) stop() {
	a.ended.Store(true)
	a.wait.Wait()
}

func (a *application) result() (queries, failed int64, first error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.queries.Load(), a.failed, a.first
}

func leave(conn *pgx.Conn) {
	if conn == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	_ = conn.Close(ctx) // it may be broken already
}
