package up

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"
)

const (
	// mostOfOne are the connections of one address to one front; more are refused.
	mostOfOne = 512
	// mostLogins are the clients of one front that have not logged in yet, and may take one of Postgres' connections
	// meanwhile; more wait. What is left of max_connections is for sessions and for our own services.
	mostLogins = 64
	// mostLoginsOfOne are those of one address.
	mostLoginsOfOne = 16
)

// crowd counts the clients of a front by address, so that one stranger does not take everybody's place. Its zero value
// is empty.
type crowd struct {
	mu   sync.Mutex
	from map[netip.Prefix]*guests
}

// guests are the clients of one address.
type guests struct {
	address netip.Prefix
	open    int
	logins  chan struct{} // places of those that have not logged in
}

// enter counts one more client, or refuses it.
func (c *crowd) enter(client net.Addr) (*guests, error) {
	address := network(client)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.from == nil {
		c.from = map[netip.Prefix]*guests{}
	}
	g := c.from[address]
	if g == nil {
		g = &guests{address: address, logins: make(chan struct{}, mostLoginsOfOne)}
		c.from[address] = g
	}
	if g.open == mostOfOne {
		return nil, fmt.Errorf("%s has %d connections already", address, mostOfOne)
	}
	g.open++
	return g, nil
}

func (c *crowd) leave(g *guests) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if g.open--; g.open == 0 {
		delete(c.from, g.address)
	}
}

// network is what one client is taken to own: an IPv4 address, or an IPv6 /64.
func network(client net.Addr) netip.Prefix {
	var ip netip.Addr
	if tcp, ok := client.(*net.TCPAddr); ok {
		ip = tcp.AddrPort().Addr().Unmap()
	}
	address, _ := ip.Prefix(min(ip.BitLen(), 64)) // an address that is none shares the zero prefix
	return address
}

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
