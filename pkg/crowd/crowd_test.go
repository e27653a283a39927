package crowd

import (
	"io"
	"net"
	"testing"
)

func TestOneAddressLeavesPlacesToOthers(t *testing.T) {
	t.Parallel()
	const most = 5
	c := New(most, 2)
	at := func(ip string) net.Addr { return &net.TCPAddr{IP: net.ParseIP(ip), Port: 1} }
	var last *Guests
	for range most {
		var err error
		if last, err = c.Enter(at("2001:db8::1")); err != nil {
			t.Fatal(err)
		}
	}
	if cap(last.Line) != 2 {
		t.Errorf("the line has %d places", cap(last.Line))
	}
	for ip, full := range map[string]bool{"2001:db8::2": true, "2001:db8:0:1::1": false, "192.0.2.1": false, "192.0.2.2": false} {
		g, err := c.Enter(at(ip))
		if (err != nil) != full {
			t.Errorf("%s: %v", ip, err)
		}
		if err == nil {
			c.Leave(g)
		}
	}
	c.Leave(last)
	if _, err := c.Enter(at("2001:db8::3")); err != nil {
		t.Errorf("after one left: %v", err)
	}
	for range most {
		c.Leave(last)
	}
	if len(c.from) != 0 {
		t.Errorf("%d addresses are remembered", len(c.from))
	}
}

func TestListenerClosesWhatIsTooMuchAndTakesItsPlaceBackOnce(t *testing.T) {
	t.Parallel()
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := New(1, 0)
	l := c.Listen(inner)
	t.Cleanup(func() { _ = l.Close() })
	dial := func(from string) net.Conn {
		conn, err := (&net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}).Dial("tcp", inner.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		return conn
	}
	accept := func() net.Conn {
		conn, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		return conn
	}
	dial("127.0.0.1")
	first := accept()
	refused := dial("127.0.0.1")
	dial("127.0.0.2")
	accept() // the other address', after the refused one
	if _, err := refused.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("too much: %v, want it to be closed", err)
	}
	_, _ = first.Close(), first.Close()
	dial("127.0.0.1")
	accept() // in the place that was given back
	if open := c.from[network(first.RemoteAddr())].open; open != 1 {
		t.Errorf("%d connections are counted, want 1", open)
	}
	_ = l.Close()
	if _, err := l.Accept(); err == nil {
		t.Error("a closed listener accepts")
	}
}
