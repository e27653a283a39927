// Package door listens for the outside: one TLS port for gRPC and REST. It gives each call its request id, finds out who
// calls, hands the call to its transport, and logs and measures it once. It knows no method.
package door

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/net/netutil"

	"github.com/naksha-cloud/naksha/pkg/clock"
	"github.com/naksha-cloud/naksha/pkg/crowd"
	"github.com/naksha-cloud/naksha/pkg/obs"
	"github.com/naksha-cloud/naksha/services/gateway/internal/api/call"
	"github.com/naksha-cloud/naksha/services/gateway/internal/api/rest"
	"github.com/naksha-cloud/naksha/services/gateway/internal/api/wire"
	"github.com/naksha-cloud/naksha/services/gateway/internal/key"
)

// Authenticator finds out who calls.
type Authenticator interface {
	// Authenticate finds out whose key the headers carry; it fails with a fault.
	Authenticate(ctx context.Context, h key.Headers) (key.Identity, error)
}

// Config says where the door is and what it bears.
type Config struct {
	Listen              string                      // host:port
	TLS                 func() (*tls.Config, error) // the server's certificate, read at start
	MaxBytes            int                         // largest request
	MaxConnections      int                         // open at a time; more wait in the kernel's queue
	MaxConnectionsOfOne int                         // of one address; more are refused; 0 = no bound
	BodyTimeout         time.Duration               // in which a request's body must have arrived
	StopTimeout         time.Duration               // that running calls may still take when the door closes
	Version             string                      // of the gateway, for the interface's description
}

// Deps are what the door hands calls to.
type Deps struct {
	Pipeline  *call.Pipeline
	Auth      Authenticator
	Telemetry *obs.Telemetry
	Clock     clock.Clock
}

// Door is the public server. It can be started, stopped and started again.
type Door struct {
	config   Config
	deps     Deps
	log      *slog.Logger
	meters   *meters
	grpc     *wire.Handler
	rest     *rest.Handler
	document []byte // openapi.json

	addr atomic.Pointer[string] // nil while closed; readable while Stop waits for calls that ask for it

	mu      sync.Mutex
	server  *http.Server
	builtin *builtin
	done    chan struct{}
	cancel  context.CancelFunc
}

// New makes a closed Door.
func New(c Config, d Deps) (*Door, error) {
	meters, err := newMeters(d.Telemetry)
	if err != nil {
		return nil, err
	}
	document, err := rest.OpenAPI(c.Version)
	if err != nil {
		return nil, err
	}
	json, err := rest.New(d.Pipeline, c.MaxBytes)
	if err != nil {
		return nil, err
	}
	return &Door{
		config: c, deps: d, log: d.Telemetry.Log, meters: meters, document: document, rest: json,
		grpc: &wire.Handler{Pipeline: d.Pipeline, MaxBytes: c.MaxBytes},
	}, nil
}

// Start listens and answers in the background. After an error nothing is open.
func (d *Door) Start(ctx context.Context) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.server != nil {
		return nil
	}
	certificate, err := d.config.TLS()
	if err != nil {
		return fmt.Errorf("open the door: %w", err)
	}
	builtin, err := newBuiltin(d.deps.Pipeline.Methods)
	if err != nil {
		return err
	}
	var lc net.ListenConfig
	listener, err := lc.Listen(ctx, "tcp", d.config.Listen)
	if err != nil {
		builtin.stop()
		return fmt.Errorf("open the door at %s: %w", d.config.Listen, err)
	}
	base, cancel := context.WithCancel(context.WithoutCancel(ctx))
	d.server, d.done, d.cancel, d.builtin = d.newServer(base, certificate), make(chan struct{}), cancel, builtin
	addr := listener.Addr().String()
	d.addr.Store(&addr)
	if d.config.MaxConnectionsOfOne > 0 {
		listener = crowd.New(d.config.MaxConnectionsOfOne, 0).Listen(listener)
	}
	go d.serve(d.server, netutil.LimitListener(listener, d.config.MaxConnections), d.done)
	return nil
}

func (d *Door) newServer(base context.Context, certificate *tls.Config) *http.Server {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(true)
	return &http.Server{
		Handler:           d,
		TLSConfig:         certificate,
		ReadHeaderTimeout: 10 * time.Second,
		WriteTimeout:      d.replyTimeout(),
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    32 << 10,
		Protocols:         protocols,
		HTTP2: &http.HTTP2Config{
			MaxConcurrentStreams: 250, SendPingTimeout: 30 * time.Second, PingTimeout: 15 * time.Second, WriteByteTimeout: 30 * time.Second,
		},
		BaseContext: func(net.Listener) context.Context { return base },
		ErrorLog:    slog.NewLogLogger(d.log.Handler(), slog.LevelDebug), // strangers' handshakes
	}
}

// replyTimeout cuts slow readers: a call has its longest time to be heard and carried out, and the reply as long again as
// a request has to arrive.
func (d *Door) replyTimeout() time.Duration {
	return 2*d.config.BodyTimeout + d.deps.Pipeline.Timeout
}

func (d *Door) serve(server *http.Server, listener net.Listener, done chan<- struct{}) {
	defer close(done)
	if err := server.ServeTLS(listener, "", ""); !errors.Is(err, http.ErrServerClosed) {
		d.log.Error("the door closed by itself", "error", err)
	}
}

// Stop lets no call in any more, lets running ones end within StopTimeout, and then cuts them.
func (d *Door) Stop(ctx context.Context) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.server == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, d.config.StopTimeout)
	defer cancel()
	d.addr.Store(nil)
	d.builtin.stop() // watches would never end by themselves
	err := d.server.Shutdown(ctx)
	d.cancel()
	if errors.Is(err, context.DeadlineExceeded) {
		d.log.WarnContext(ctx, "calls were cut when the door closed")
		err = d.server.Close()
	}
	<-d.done
	d.server = nil
	return err
}

// Addr is where an open door listens, host:port; empty while closed.
func (d *Door) Addr() string {
	if addr := d.addr.Load(); addr != nil {
		return *addr
	}
	return ""
}
