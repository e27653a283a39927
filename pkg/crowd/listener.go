package crowd

import (
	"net"
	"sync"
)

// Listen passes on what inner accepts, and closes at once what is refused.
func (c *Crowd) Listen(inner net.Listener) net.Listener { return listener{inner, c} }

type listener struct {
	net.Listener
	crowd *Crowd
}

// Accept waits for the next client that is not refused.
func (l listener) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		guests, err := l.crowd.Enter(conn.RemoteAddr())
		if err == nil {
			return &connection{Conn: conn, leave: sync.OnceFunc(func() { l.crowd.Leave(guests) })}, nil
		}
		_ = conn.Close() // it is refused: how its end went matters to nobody
	}
}

type connection struct {
	net.Conn
	leave func()
}

// Close makes room for another client of the address.
func (c *connection) Close() error {
	defer c.leave()
	return c.Conn.Close()
}
