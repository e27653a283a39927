// Package bus is transport: it publishes messages to JetStream and hands them to handlers with explicit acknowledgement.
// It owns a service's NATS connection, its stream and its consumers; it refuses to be the record, which is Postgres
// (package outbox).
package bus

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/naksha-cloud/naksha/pkg/fault"
)

// Config says where the bus is and as whom to connect.
type Config struct {
	URL      string       // nats://host:port or tls://host:port
	User     string       // NATS user: the service's name
	Password string       // its password
	CAFile   string       // certificates that a tls:// server must be signed by; empty = the system's
	Replicas int          // copies of the stream: 1 in one process, 3 in a cluster; 0 = 1
	MaxBytes int64        // bound of the stream, bytes; 0 = 512 MiB. A full stream refuses, and the outbox keeps
	Log      *slog.Logger // nil = discard
}

// Limits of a stream, the same everywhere.
const (
	MaxMessage = 256 << 10           // bytes of one message, headers included
	maxAge     = 30 * 24 * time.Hour // the record keeps facts longer: older ones are fetched there
	duplicates = 10 * time.Minute    // window in which the server drops a repeated message id
	ackWait    = 30 * time.Second    // a handler that takes longer is cut, and sees its message again
	inFlight   = 1000                // messages handed out and not acknowledged, for one consumer
)

// pingInterval is how often the broker is asked whether it is there. After two questions without an answer the connection
// counts as lost, and another one is made.
const pingInterval = 1500 * time.Millisecond

// Bus is one service's connection. It can be started, stopped and started again.
type Bus struct {
	config Config

	mu   sync.Mutex
	conn *nats.Conn
	js   jetstream.JetStream
}

// New returns a stopped Bus.
func New(c Config) *Bus {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Replicas == 0 {
		c.Replicas = 1
	}
	if c.MaxBytes == 0 {
		c.MaxBytes = 512 << 20
	}
	return &Bus{config: c}
}

// StreamOf is the stream that a service's facts are in: its name in capitals.
func StreamOf(service string) string { return strings.ToUpper(service) }

// Start connects. A broker that is away, or that refuses the password, is tried again in the background; Ready says so.
func (b *Bus) Start(context.Context) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.conn != nil {
		return nil
	}
	conn, err := nats.Connect(b.config.URL, b.options()...)
	if err != nil {
		return fmt.Errorf("connect to NATS at %s as %s: %w", b.config.URL, b.config.User, err)
	}
	js, err := jetstream.New(conn, jetstream.WithDefaultTimeout(5*time.Second),
		jetstream.WithPublishAsyncTimeout(2*publishTime))
	if err != nil {
		conn.Close()
		return fmt.Errorf("open JetStream: %w", err)
	}
	b.conn, b.js = conn, js
	return nil
}

func (b *Bus) options() []nats.Option {
	all := []nats.Option{
		nats.Name("naksha-" + b.config.User),
		nats.UserInfo(b.config.User, b.config.Password),
		nats.CustomInboxPrefix("_INBOX_" + b.config.User),
		nats.RetryOnFailedConnect(true), nats.MaxReconnects(-1), nats.ReconnectWait(250 * time.Millisecond),
		nats.PingInterval(pingInterval), nats.MaxPingsOutstanding(2), // a broker that vanished without a word
		nats.IgnoreAuthErrorAbort(), // a refused password may be right again later; the connection would be closed for good
		nats.ReconnectBufSize(-1),   // a publish while away fails at once; the outbox keeps the fact
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) {
			b.config.Log.Warn("bus reported an error", "error", err)
		}),
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) {
			if err != nil {
				b.config.Log.Warn("bus connection lost", "error", err)
			}
		}),
		nats.ReconnectHandler(func(*nats.Conn) { b.config.Log.Info("bus connection back") }),
	}
	if b.config.CAFile != "" {
		all = append(all, nats.RootCAs(b.config.CAFile))
	}
	return all
}

// Stop closes the connection. A second Stop does nothing.
func (b *Bus) Stop(context.Context) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.conn != nil {
		b.conn.Close()
		b.conn, b.js = nil, nil
	}
	return nil
}

// Ready says whether the broker answers.
func (b *Bus) Ready(context.Context) error {
	conn, _, err := b.started()
	if err != nil {
		return err
	}
	if !conn.IsConnected() {
		return fault.Unavailable("BUS_AWAY", "NATS at %s does not answer.", b.config.URL).WithCause(conn.LastError())
	}
	return nil
}

func (b *Bus) started() (*nats.Conn, jetstream.JetStream, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.conn == nil {
		return nil, nil, fault.Unavailable("BUS_STOPPED", "The bus connection is not started.")
	}
	return b.conn, b.js, nil
}

// EnsureStream creates the stream that holds a service's facts, or brings it up to date.
func (b *Bus) EnsureStream(ctx context.Context, service string) error {
	_, err := b.Stream(service).Look(ctx)
	return err
}

// Message is what travels.
type Message struct {
	ID      string            // message id: the server drops a repeat within its window
	Subject string            // naksha.<service>.v1.<fact>.<ref|platform>
	Headers map[string]string // case-sensitive, as NATS keeps them
	Payload []byte
}

// Publish sends m and returns when the server has stored it durably. A repeat that the server dropped is a success.
func (b *Bus) Publish(ctx context.Context, m Message) error {
	_, js, err := b.started()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, publishTime)
	defer cancel()
	if _, err := js.PublishMsg(ctx, m.wire(0), jetstream.WithRetryAttempts(0)); err != nil {
		return fmt.Errorf("publish %s: %w", m.Subject, err)
	}
	return nil
}

// Wake pokes the other replicas of a service: lossy, and only ever a hint to look sooner.
func (b *Bus) Wake(service string) {
	if conn, _, err := b.started(); err == nil {
		_ = conn.Publish("naksha.wake."+service, nil)
	}
}

// OnWake calls f for each poke, until the returned stop is called.
func (b *Bus) OnWake(service string, f func()) (stop func(), err error) {
	conn, _, err := b.started()
	if err != nil {
		return nil, err
	}
	sub, err := conn.Subscribe("naksha.wake."+service, func(*nats.Msg) { f() })
	if err != nil {
		return nil, fmt.Errorf("subscribe to pokes: %w", err)
	}
	return func() { _ = sub.Unsubscribe() }, nil
}
