package chaostest

import (
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
)

// Proxy stands between clients and a TCP server, and can cut the line for a while.
type Proxy struct {
	listener net.Listener
	target   string
	wait     sync.WaitGroup

	mu    sync.Mutex
	cut   bool
	lines map[net.Conn]bool
}

// NewProxy listens on a free port of the loopback interface and passes everything on to the target, host:port.
func NewProxy(target string) (*Proxy, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen for a proxy: %w", err)
	}
	p := &Proxy{listener: listener, target: target, lines: map[net.Conn]bool{}}
	p.wait.Go(p.serve)
	return p, nil
}

// Address is where it listens, host:port.
func (p *Proxy) Address() string { return p.listener.Addr().String() }

func (p *Proxy) serve() {
	for {
		near, err := p.listener.Accept()
		if err != nil {
			return
		}
		far, err := net.Dial("tcp", p.target)
		if err != nil || !p.keep(near, far) {
			_ = near.Close()
			if err == nil {
				_ = far.Close()
			}
			continue
		}
		p.wait.Go(func() { p.pass(near, far) })
		p.wait.Go(func() { p.pass(far, near) })
	}
}

// keep remembers a line, unless the proxy is cut.
func (p *Proxy) keep(ends ...net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, end := range ends {
		if !p.cut {
			p.lines[end] = true
		}
	}
	return !p.cut
}

func (p *Proxy) pass(from, to net.Conn) {
	_, _ = io.Copy(to, from) // ends with either side
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, end := range []net.Conn{from, to} {
		_ = end.Close()
		delete(p.lines, end)
	}
}

// Cut ends all lines and refuses new ones until Join.
func (p *Proxy) Cut() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cut = true
	var errs []error
	for end := range p.lines {
		errs = append(errs, end.Close())
	}
	return errors.Join(errs...)
}

// Join lets clients through again.
func (p *Proxy) Join() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cut = false
	return nil
}

// Close ends the proxy.
func (p *Proxy) Close() {
	_ = p.listener.Close()
	_ = p.Cut()
	p.wait.Wait()
}
