package up

import (
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"regexp"
	"strings"
	"time"

	"github.com/naksha-cloud/naksha/pkg/crowd"
)

// What a Postgres client may send first, after its length (PostgreSQL documentation, "Message Formats").
const (
	pgSSLRequest    = 80877103
	pgGSSENCRequest = 80877104
	pgCancelRequest = 80877102
	pgProtocol      = 3    // upper half of a startup message's code
	tlsHandshake    = 0x16 // first byte of TLS, from clients that begin with it (sslnegotiation=direct)
)

const (
	mostStartup = 10_000 // bytes of a startup message, as in Postgres
	mostCancel  = 12 + 256
)

// workspaceLogin is what customers log in as, w_<ref>_g<generation>. Superusers, the platform's own logins and those of
// restores connect on this machine, and not to a front.
var workspaceLogin = regexp.MustCompile(`^w_[a-z]{20}_g[0-9]{1,6}$`)

// SQLSTATEs of refusals.
const (
	notAuthorized = "28000"
	tooMany       = "53300"
)

// serveLogin brings a client to TLS, looks whether it may log in here, and passes the login on. Until that has
// succeeded, the client holds one of few places, and not for long: the server gives it a connection before it knows it.
func (f *front) serveLogin(ctx context.Context, client net.Conn, from *crowd.Guests) error {
	begun, first, err := askForTLS(client)
	if err != nil {
		return err
	}
	if first == nil {
		secure := tls.Server(begun, f.tls)
		if err := secure.Handshake(); err != nil {
			return fmt.Errorf("TLS: %w", err)
		}
		if first, err = startup(secure); err != nil {
			return err
		}
		begun = secure
	}
	leave, err := take(ctx, f.patience, from.Line, f.logins)
	_ = client.SetDeadline(time.Now().Add(f.patience))
	if err != nil {
		_, _ = begun.Write(refusal(tooMany, "too many connections wait for their login: log in with those that are open, and connect again"))
		return err
	}
	defer leave()
	return f.pass(ctx, begun, first, func(server io.Reader) error {
		if err := passLogin(begun, server); err != nil {
			return err
		}
		leave()
		return client.SetDeadline(time.Time{})
	})
}

// askForTLS reads what a Postgres client sends first. Whoever does not ask for TLS is refused, but for cancel requests,
// which many clients send in the clear and which carry nothing but the number and key of their session: they are returned.
func askForTLS(client net.Conn) (net.Conn, []byte, error) {
	for range 2 { // GSSENCRequest, then SSLRequest
		head := make([]byte, 8)
		if _, err := io.ReadFull(client, head); err != nil {
			return nil, nil, err
		}
		if head[0] == tlsHandshake {
			return &prefixed{Conn: client, head: head}, nil, nil
		}
		first, err := whole(client, head)
		if err != nil {
			return nil, nil, err
		}
		switch binary.BigEndian.Uint32(first[4:]) {
		case pgSSLRequest:
			_, err := client.Write([]byte{'S'})
			return client, nil, err
		case pgGSSENCRequest:
			if _, err := client.Write([]byte{'N'}); err != nil {
				return nil, nil, err
			}
		case pgCancelRequest:
			return client, first, nil
		default:
			_, _ = client.Write(refusal(notAuthorized, "connections need TLS: connect with sslmode=verify-full"))
			return nil, nil, errors.New("the client does not ask for TLS")
		}
	}
	return nil, nil, errors.New("the client asks for GSS again and again")
}

// whole reads the rest of a message of which the length and the code were read.
func whole(client io.Reader, head []byte) ([]byte, error) {
	size, most := binary.BigEndian.Uint32(head), uint32(mostStartup)
	if binary.BigEndian.Uint32(head[4:]) == pgCancelRequest {
		most = mostCancel
	}
	if size < uint32(len(head)) || size > most {
		return nil, fmt.Errorf("the client's first message is %d bytes long", size)
	}
	message := append(head, make([]byte, int(size)-len(head))...)
	_, err := io.ReadFull(client, message[len(head):])
	return message, err
}

// startup reads what a client says behind TLS: that it wants to cancel, or who it is. Others are told what to do.
func startup(client net.Conn) ([]byte, error) {
	head := make([]byte, 8)
	if _, err := io.ReadFull(client, head); err != nil {
		return nil, err
	}
	first, err := whole(client, head)
	if err != nil {
		return nil, err
	}
	if why := unwelcome(first); why != "" {
		_, _ = client.Write(refusal(notAuthorized, why))
		return nil, fmt.Errorf("refused: %s", why)
	}
	return first, nil
}

// unwelcome says why a client's first message is not for the cell; empty: it is.
func unwelcome(first []byte) (reason string) {
	code := binary.BigEndian.Uint32(first[4:])
	if code == pgCancelRequest {
		return ""
	}
	words := strings.Split(string(first[8:]), "\x00") // name, value, name, value …, and an empty name
	if n := len(words); code>>16 != pgProtocol || n%2 != 0 || n < 2 || words[n-2] != "" || words[n-1] != "" {
		return "the startup message is not one of protocol 3: use a current client"
	}
	known := false
	for i := 0; i < len(words)-2; i += 2 {
		switch name, value := words[i], words[i+1]; {
		case name == "replication":
			return "replication is not offered here: connect without the parameter replication"
		case name == "user" && !workspaceLogin.MatchString(value): // of several, the server takes the last
			return "only workspaces log in here: connect as the user in the workspace's database URL, w_<ref>_g<number>"
		case name == "user":
			known = true
		}
	}
	if !known {
		return "the startup message names no user: connect with the workspace's database URL"
	}
	return ""
}

// passLogin passes the server's messages on until one says that the client is authenticated (AuthenticationOk).
func passLogin(client io.Writer, server io.Reader) error {
	for {
		head := make([]byte, 5) // type and length
		if _, err := io.ReadFull(server, head); err != nil {
			return err
		}
		size := binary.BigEndian.Uint32(head[1:])
		if size < 4 || size > mostStartup {
			return fmt.Errorf("the server answers a login with %d bytes", size)
		}
		message := append(head, make([]byte, size-4)...)
		if _, err := io.ReadFull(server, message[len(head):]); err != nil {
			return err
		}
		if _, err := client.Write(message); err != nil {
			return err
		}
		if message[0] == 'R' && len(message) == 9 && binary.BigEndian.Uint32(message[5:]) == 0 {
			return nil
		}
	}
}

// refusal is a Postgres ErrorResponse: severity, SQLSTATE, message.
func refusal(code, message string) []byte {
	fields := "SFATAL\x00VFATAL\x00C" + code + "\x00M" + message + "\x00\x00"
	out := append([]byte{'E'}, binary.BigEndian.AppendUint32(nil, uint32(4+len(fields)))...)
	return append(out, fields...)
}

// prefixed is a connection of which the first bytes were read already.
type prefixed struct {
	net.Conn
	head []byte
}

// Read returns what was read already first.
func (p *prefixed) Read(into []byte) (int, error) {
	if len(p.head) == 0 {
		return p.Conn.Read(into)
	}
	n := copy(into, p.head)
	p.head = p.head[n:]
	return n, nil
}
