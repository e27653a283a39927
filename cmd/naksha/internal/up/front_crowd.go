package up

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"
)

const (
	// mostOfOne are the connections of one address to one front, or to the gateway; more are refused.
	mostOfOne = 512
	// mostLogins are the clients of one front that have not logged in yet, and may take one of Postgres' connections
	// meanwhile; more wait. What is left of max_connections is for sessions and for our own services.
	mostLogins = 64
	// mostLoginsOfOne are those of one address.
	mostLoginsOfOne = 16
)

// take waits for a place in each of lines, and returns how to give them back.
func take(ctx context.Context, wait time.Duration, lines ...chan struct{}) (leave func(), err error) {
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	taken := 0
	leave = sync.OnceFunc(func() {
		for _, line := range lines[:taken] {
			<-line
		}
	})
	for _, line := range lines {
		select {
		case line <- struct{}{}:
			taken++
		case <-ctx.Done():
			leave()
			return nil, errors.New("too many clients have not logged in")
		}
	}
	return leave, nil
}

// lively is a connection that is cut when nothing has moved on it, either way, for idle.
type lively struct {
	net.Conn
	idle time.Duration
}

// Read reads, and grants more time.
func (c lively) Read(into []byte) (int, error) {
	n, err := c.Conn.Read(into)
	_ = c.SetDeadline(time.Now().Add(c.idle))
	return n, err
}

// Write writes, and grants more time.
func (c lively) Write(content []byte) (int, error) {
	n, err := c.Conn.Write(content)
	_ = c.SetDeadline(time.Now().Add(c.idle))
	return n, err
}
