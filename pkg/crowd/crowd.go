// Package crowd counts the clients of a public listener by the address they come from, so that one stranger does not take
// everybody's place.
package crowd

import (
	"fmt"
	"net"
	"net/netip"
	"sync"
)

// Crowd are the clients that are there now.
type Crowd struct {
	most, line int

	mu   sync.Mutex
	from map[netip.Prefix]*Guests
}

// Guests are the clients of one address: an IPv4 address, or an IPv6 /64, which is what one client is taken to own.
type Guests struct {
	// Line has the places of what these clients may do at a time besides; whoever finds none waits.
	Line chan struct{}

	address netip.Prefix
	open    int
}

// New returns an empty Crowd that takes so many clients of one address, each address with a line of so many places.
func New(most, line int) *Crowd {
	return &Crowd{most: most, line: line, from: map[netip.Prefix]*Guests{}}
}

// Enter counts one more client, or refuses it.
func (c *Crowd) Enter(client net.Addr) (*Guests, error) {
	address := network(client)
	c.mu.Lock()
	defer c.mu.Unlock()
	g := c.from[address]
	if g == nil {
		g = &Guests{Line: make(chan struct{}, c.line), address: address}
		c.from[address] = g
	}
	if g.open >= c.most {
		return nil, fmt.Errorf("%s has %d connections already", address, g.open)
	}
	g.open++
	return g, nil
}

// Leave takes back one Enter.
func (c *Crowd) Leave(g *Guests) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if g.open--; g.open == 0 {
		delete(c.from, g.address)
	}
}

func network(client net.Addr) netip.Prefix {
	var ip netip.Addr
	if tcp, ok := client.(*net.TCPAddr); ok {
		ip = tcp.AddrPort().Addr().Unmap()
	}
	address, _ := ip.Prefix(min(ip.BitLen(), 64)) // an address that is none shares the zero prefix
	return address
}
