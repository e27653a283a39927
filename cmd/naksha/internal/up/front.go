package up

import (
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/naksha-cloud/naksha/pkg/rpc"
)

// Requests that a Postgres client may send before it speaks TLS (PostgreSQL documentation, "Message Formats").
const (
	pgSSLRequest    = 80877103
	pgGSSENCRequest = 80877104
	pgCancelRequest = 80877102
	pgCancelLength  = 16   // bytes of a whole CancelRequest
	tlsHandshake    = 0x16 // first byte of TLS, from clients that begin with it (sslnegotiation=direct)
)

const (
	// handshakeWait bounds what a client may take to begin.
	handshakeWait = 15 * time.Second
	// mostClients of one front at a time; more wait.
	mostClients = 4096
)

// front takes customers' connections, ends TLS with the operator's certificate, and passes the bytes to a private server
// on the loopback. Postgres and versitygw would have to be restarted, or copied the key, to follow a renewed certificate.
type front struct {
	name     string
	listen   string
	target   string
	tls      *tls.Config
	postgres bool // clients ask for TLS first
	log      *slog.Logger

	listener net.Listener
	cancel   context.CancelFunc
	clients  sync.WaitGroup
}

func (f *front) start(ctx context.Context) (err error) {
	if f.listener, err = (&net.ListenConfig{}).Listen(ctx, "tcp", f.listen); err != nil {
		return fmt.Errorf("listen for customers of %s at %s: %w", f.name, f.listen, err)
	}
	ctx, f.cancel = context.WithCancel(context.WithoutCancel(ctx))
	f.clients.Go(func() { f.accept(ctx) })
	return nil
}

// stop closes every connection and waits for the goroutines.
func (f *front) stop() {
	f.cancel()
	_ = f.listener.Close()
	f.clients.Wait()
}

func (f *front) accept(ctx context.Context) {
	places := make(chan struct{}, mostClients)
	for {
		places <- struct{}{}
		client, err := f.listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil { // too many open files, or a client that left at once
			<-places
			f.log.WarnContext(ctx, "a customer's connection was not accepted", "front", f.name, "error", err)
			continue
		}
		f.clients.Go(func() {
			defer func() { <-places }()
			if err := f.serve(ctx, client); err != nil {
				f.log.DebugContext(ctx, "a customer's connection ended", "front", f.name, "error", err)
			}
		})
	}
}

// serve passes one client on until one side ends.
func (f *front) serve(ctx context.Context, client net.Conn) error {
	defer client.Close()
	defer context.AfterFunc(ctx, func() { _ = client.Close() })()
	_ = client.SetDeadline(time.Now().Add(handshakeWait))
	begun, first, err := f.greet(client)
	if err != nil {
		return err
	}
	_ = client.SetDeadline(time.Time{})
	server, err := (&net.Dialer{Timeout: handshakeWait}).DialContext(ctx, "tcp", f.target)
	if err != nil {
		return fmt.Errorf("connect to %s: %w", f.name, err)
	}
	defer server.Close()
	defer context.AfterFunc(ctx, func() { _ = server.Close() })()
	if _, err := server.Write(first); err != nil {
		return err
	}
	return pipe(begun, server)
}

// greet brings a client to TLS. What it sent in the clear and may be passed on, a Postgres cancel request, is returned.
func (f *front) greet(client net.Conn) (begun net.Conn, first []byte, err error) {
	if f.postgres {
		var cancel []byte
		if client, cancel, err = askForTLS(client); err != nil || cancel != nil {
			return client, cancel, err
		}
	}
	secure := tls.Server(client, f.tls)
	if err := secure.Handshake(); err != nil {
		return nil, nil, fmt.Errorf("TLS: %w", err)
	}
	return secure, nil, nil
}

// askForTLS reads what a Postgres client sends first. Whoever does not ask for TLS is refused, but for cancel requests,
// which many clients send in the clear and which carry nothing but the number of their session.
func askForTLS(client net.Conn) (net.Conn, []byte, error) {
	for range 2 { // GSSENCRequest, then SSLRequest
		head := make([]byte, 8)
		if _, err := io.ReadFull(client, head); err != nil {
			return nil, nil, err
		}
		if head[0] == tlsHandshake {
			return &prefixed{Conn: client, head: head}, nil, nil
		}
		switch binary.BigEndian.Uint32(head[4:]) {
		case pgSSLRequest:
			_, err := client.Write([]byte{'S'})
			return client, nil, err
		case pgGSSENCRequest:
			if _, err := client.Write([]byte{'N'}); err != nil {
				return nil, nil, err
			}
		case pgCancelRequest:
			rest := make([]byte, pgCancelLength-len(head))
			_, err := io.ReadFull(client, rest)
			return client, append(head, rest...), err
		default:
			_, _ = client.Write(refusal("connections need TLS: connect with sslmode=verify-full"))
			return nil, nil, errors.New("the client does not ask for TLS")
		}
	}
	return nil, nil, errors.New("the client asks for GSS again and again")
}

// refusal is a Postgres ErrorResponse: severity, SQLSTATE 28000 (invalid authorization), message.
func refusal(message string) []byte {
	fields := "SFATAL\x00VFATAL\x00C28000\x00M" + message + "\x00\x00"
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

// pipe copies both ways until the server has ended, or the client broke. A client that has sent all still hears the rest.
func pipe(client, server net.Conn) error {
	sent := make(chan error, 1)
	go func() {
		_, err := io.Copy(server, client)
		if half, ok := server.(*net.TCPConn); ok && err == nil {
			err = half.CloseWrite()
		} else {
			_ = server.Close()
		}
		sent <- err
	}()
	_, err := io.Copy(client, server)
	_ = client.Close()
	return errors.Join(err, <-sent)
}

// publicTLS shows the operator's certificate and follows its files.
func (p *Platform) publicTLS() (*tls.Config, error) {
	files, err := rpc.ServerTLS(rpc.Files{
		CertFile: p.config.TLS.CertFile, KeyFile: p.config.TLS.KeyFile, CAFile: p.state.pki.CAFile(),
	})
	if err != nil {
		return nil, err
	}
	return &tls.Config{
		MinVersion: tls.VersionTLS12,
		NextProtos: []string{"http/1.1", "postgresql"},
		GetCertificate: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
			now, err := files.GetConfigForClient(hello)
			if err != nil {
				return nil, err
			}
			return &now.Certificates[0], nil
		},
	}, nil
}
