package up

import (
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"log/slog"
	"net"
	"testing"
	"time"

	"github.com/naksha-cloud/naksha/pkg/local/localtest"
)

// request is what a Postgres client sends first: its length, a code, and what follows.
func request(code uint32, rest ...byte) []byte {
	out := binary.BigEndian.AppendUint32(nil, uint32(8+len(rest)))
	return append(binary.BigEndian.AppendUint32(out, code), rest...)
}

func TestPostgresClientsAreAskedForTLS(t *testing.T) {
	t.Parallel()
	cancel := request(pgCancelRequest, 1, 2, 3, 4, 5, 6, 7, 8)
	for name, test := range map[string]struct {
		sends, hears, passes []byte
		refused              bool
	}{
		"asks for TLS":          {sends: request(pgSSLRequest), hears: []byte("S")},
		"asks for GSS first":    {sends: append(request(pgGSSENCRequest), request(pgSSLRequest)...), hears: []byte("NS")},
		"begins with TLS":       {sends: []byte{tlsHandshake, 3, 1, 0, 5, 1, 0, 0}},
		"cancels in the clear":  {sends: cancel, passes: cancel},
		"logs in in the clear":  {sends: request(3 << 16), hears: refusal(notAuthorized, "connections need TLS: connect with sslmode=verify-full"), refused: true},
		"asks for GSS for ever": {sends: append(request(pgGSSENCRequest), request(pgGSSENCRequest)...), hears: []byte("NN"), refused: true},
		"leaves":                {sends: []byte("x"), refused: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := &script{in: bytes.NewReader(test.sends)}
			_, passes, err := askForTLS(client)
			if (err != nil) != test.refused || !bytes.Equal(passes, test.passes) || !bytes.Equal(client.out.Bytes(), test.hears) {
				t.Errorf("heard %q, passes %q, %v", client.out.Bytes(), passes, err)
			}
		})
	}
}

func TestStoppedFrontLeavesNoConnection(t *testing.T) {
	t.Parallel()
	f := &front{name: "cell", listen: "127.0.0.1:0", target: "127.0.0.1:1", postgres: true, patience: time.Hour, log: slog.New(slog.DiscardHandler)}
	if err := f.start(t.Context()); err != nil {
		t.Fatal(err)
	}
	silent, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", f.listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	stopped := make(chan bool)
	go func() { f.stop(); close(stopped) }()
	select {
	case <-stopped:
	case <-time.After(localtest.Patience):
		t.Fatal("it waits for a client that says nothing")
	}
	_ = silent.SetReadDeadline(time.Now().Add(5 * time.Second))
	if _, err := silent.Read(make([]byte, 1)); err == nil {
		t.Error("the client is still connected")
	}
}

func TestReservedPortIsKeptForItsOwnerAlone(t *testing.T) {
	t.Parallel()
	hosts := []string{"127.0.0.1"}
	if l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "[::1]:0"); err == nil { // else this machine has no IPv6
		hosts = append(hosts, "::1")
		_ = l.Close()
	}
	for _, host := range hosts {
		port, held, err := reserve(host)
		if err != nil {
			t.Fatal(err)
		}
		address := net.TCPAddr{IP: net.ParseIP(host), Port: port}
		for range 2 { // also after its owner died
			l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", address.String())
			if err != nil {
				t.Fatalf("%s: %v", host, err)
			}
			_ = l.Close()
		}
		held.release()
	}
	if _, _, err := reserve("example.com"); err == nil {
		t.Error("a name is taken for an address")
	}
}

// script is a client that sends what it is told and keeps what it hears.
type script struct {
	net.Conn
	in  io.Reader
	out bytes.Buffer
}

func (s *script) Read(into []byte) (int, error)     { return s.in.Read(into) }
func (s *script) Write(content []byte) (int, error) { return s.out.Write(content) }

func FuzzAskForTLS(f *testing.F) {
	f.Add(request(pgSSLRequest))
	f.Add(request(pgCancelRequest, 1, 2))
	f.Fuzz(func(t *testing.T, sends []byte) {
		client := &script{in: bytes.NewReader(sends)}
		conn, passes, err := askForTLS(client)
		if err == nil && conn == nil || len(passes) > mostCancel {
			t.Errorf("%q: %v, %q, %v", sends, conn, passes, err)
		}
	})
}
