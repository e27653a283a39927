package up

import (
	"bytes"
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"github.com/naksha-cloud/naksha/pkg/local/localtest"
)

// authenticationOk is how Postgres says that the password was right.
var authenticationOk = []byte{'R', 0, 0, 0, 8, 0, 0, 0, 0}

// backend counts who comes through a front.
func backend(t *testing.T) (address string, came <-chan net.Conn) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	all := make(chan net.Conn, mostOfOne)
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			all <- conn
		}
	}()
	return listener.Addr().String(), all
}

func next(t *testing.T, came <-chan net.Conn) net.Conn {
	t.Helper()
	select {
	case conn := <-came:
		t.Cleanup(func() { _ = conn.Close() })
		return conn
	case <-time.After(localtest.Patience):
		t.Fatal("nobody comes through the front")
		return nil
	}
}

func TestOneAddressTakesFewPlacesUntilItHasLoggedIn(t *testing.T) {
	t.Parallel()
	target, came := backend(t)
	f := opened(t, &front{target: target, postgres: true, patience: localtest.Patience})
	var inside []net.Conn
	for range mostLoginsOfOne + 4 {
		if _, err := f.dialFrom(t, "127.0.0.1").Write(login("user", someLogin)); err != nil {
			t.Fatal(err)
		}
	}
	for range mostLoginsOfOne {
		inside = append(inside, next(t, came))
	}
	if _, err := f.dialFrom(t, "127.0.0.2").Write(login("user", someLogin)); err != nil {
		t.Fatal(err)
	}
	if one := next(t, came); len(came) != 0 {
		t.Errorf("%d of the first address took more than their places", len(came))
	} else if first := make([]byte, len(login("user", someLogin))); true {
		if _, err := io.ReadFull(one, first); err != nil || !bytes.Equal(first, login("user", someLogin)) {
			t.Errorf("the server hears %q, %v", first, err)
		}
	}
	for i, conn := range inside[:4] { // who has logged in, or has left, makes room for the next
		if i%2 == 0 {
			_ = conn.Close()
		} else if _, err := conn.Write(authenticationOk); err != nil {
			t.Fatal(err)
		}
		next(t, came)
	}
}

func TestClientsThatDoNotBeginAreCut(t *testing.T) {
	t.Parallel()
	target, came := backend(t)
	f := opened(t, &front{target: target, postgres: true, patience: localtest.Bar(250 * time.Millisecond)})
	clients := map[string]net.Conn{}
	for name, sends := range map[string][]byte{
		"says nothing behind TLS": nil, "stops in its first message": login("user", someLogin)[:20], "does not log in": login("user", someLogin),
	} {
		client := f.dialFrom(t, "127.0.0.1")
		if _, err := client.Write(sends); err != nil {
			t.Fatal(err)
		}
		clients[name] = client
	}
	for name, client := range clients {
		_, err := client.Read(make([]byte, 1))
		if timeout := net.Error(nil); err == nil || errors.As(err, &timeout) && timeout.Timeout() {
			t.Errorf("%s: it is not cut: %v", name, err)
		}
	}
	if n := len(came); n != 1 {
		t.Errorf("%d came to the server", n)
	}
}

func TestRestingClientsOfS3AreCut(t *testing.T) {
	t.Parallel()
	target, came := backend(t)
	f := opened(t, &front{target: target, idle: localtest.Bar(250 * time.Millisecond)})
	client := f.dialFrom(t, "127.0.0.1")
	behind := next(t, came)
	if _, err := client.Write([]byte("GET")); err != nil {
		t.Fatal(err)
	}
	if heard := make([]byte, 3); func() error { _, err := io.ReadFull(behind, heard); return err }() != nil || string(heard) != "GET" {
		t.Errorf("the server hears %q", heard)
	}
	if _, err := behind.Read(make([]byte, 1)); err == nil {
		t.Error("the server hears more")
	}
	if _, err := client.Read(make([]byte, 1)); err == nil {
		t.Error("the client hears something")
	}
}

// deadlines counts how often a connection is given more time.
type deadlines struct {
	net.Conn
	renewed int
}

func (d *deadlines) Read(into []byte) (int, error)     { return len(into), nil }
func (d *deadlines) Write(content []byte) (int, error) { return len(content), nil }
func (d *deadlines) SetDeadline(time.Time) error       { d.renewed++; return nil }

func TestWhatMovesIsGivenMoreTime(t *testing.T) {
	t.Parallel()
	d := &deadlines{}
	conn := lively{d, time.Minute}
	_, _ = conn.Read(make([]byte, 1))
	_, _ = conn.Write(make([]byte, 1))
	if d.renewed != 2 {
		t.Errorf("the deadline was renewed %d times", d.renewed)
	}
}
