package up

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/naksha-cloud/naksha/pkg/clock"
	"github.com/naksha-cloud/naksha/pkg/crowd"
	"github.com/naksha-cloud/naksha/pkg/rpc"
)

const (
	// handshakeWait bounds each step by which a client begins: TLS and its first words, a place, the login.
	handshakeWait = 15 * time.Second
	// idleWait bounds how long nothing may move, either way, between a client and S3. Postgres' sessions may rest.
	idleWait = 5 * time.Minute
	// acceptPause is the rest after a connection that could not be accepted: too many open files are not closed at once.
	acceptPause = 100 * time.Millisecond
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
	postgres bool          // clients ask for TLS first, and log in
	patience time.Duration // 0 = handshakeWait
	idle     time.Duration // of a client of S3
	log      *slog.Logger

	listener net.Listener
	cancel   context.CancelFunc
	clients  sync.WaitGroup
	crowd    *crowd.Crowd
	logins   chan struct{} // places of clients that have not logged in
}

func (f *front) start(ctx context.Context) (err error) {
	if f.listener, err = (&net.ListenConfig{}).Listen(ctx, "tcp", f.listen); err != nil {
		return fmt.Errorf("listen for customers of %s at %s: %w", f.name, f.listen, err)
	}
	f.crowd, f.logins = crowd.New(mostOfOne, mostLoginsOfOne), make(chan struct{}, mostLogins)
	f.patience = cmp.Or(f.patience, handshakeWait)
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
			_ = clock.Sleep(ctx, clock.System(), acceptPause)
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
	from, err := f.crowd.Enter(client.RemoteAddr())
	if err != nil {
		return err
	}
	defer f.crowd.Leave(from)
	_ = client.SetDeadline(time.Now().Add(f.patience))
	if f.postgres {
		return f.serveLogin(ctx, client, from)
	}
	secure := tls.Server(client, f.tls)
	if err := secure.Handshake(); err != nil {
		return fmt.Errorf("TLS: %w", err)
	}
	_ = client.SetDeadline(time.Now().Add(f.idle))
	return f.pass(ctx, lively{secure, f.idle}, nil, nil)
}

// pass connects a client that has begun to the server, which hears first before anything else. What the server answers
// passes through greeting, if there is one, until that returns.
func (f *front) pass(ctx context.Context, client net.Conn, first []byte, greeting func(server io.Reader) error) error {
	server, err := (&net.Dialer{Timeout: f.patience}).DialContext(ctx, "tcp", f.target)
	if err != nil {
		return fmt.Errorf("connect to %s: %w", f.name, err)
	}
	defer server.Close()
	defer context.AfterFunc(ctx, func() { _ = server.Close() })()
	if _, err := server.Write(first); err != nil {
		return err
	}
	return pipe(client, server, greeting)
}

// pipe copies both ways until the server has ended, or the client broke. A client that has sent all still hears the rest.
func pipe(client, server net.Conn, greeting func(server io.Reader) error) (err error) {
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
	if greeting != nil {
		err = greeting(server)
	}
	if err == nil {
		_, err = io.Copy(client, server)
	}
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
