package local

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// defaultMaxStore is 4 GiB: a bus that fills the disk would freeze its streams until a restart.
const defaultMaxStore = 4 << 30

// NATSConfig describes the embedded NATS server.
type NATSConfig struct {
	// Dir is the state folder; JetStream keeps its files in it.
	Dir string
	// Host to listen on; default 127.0.0.1.
	Host string
	// Port to listen on; 0 picks a free one, -1 does not listen: clients in this process use nats.InProcessServer.
	Port int
	// Permissions of the users; see ParsePermissions.
	Permissions Permissions
	// Passwords of the users by name. A user of Permissions without a password cannot log in.
	Passwords map[string]string
	// MaxStore is the most that all streams may take on disk, in bytes; 0 means 4 GiB.
	MaxStore int64
	// Log receives the server's notices, warnings and errors; nil discards them.
	Log *slog.Logger
}

// NATS is a running embedded NATS server. It can be restarted in place: on the same files and port.
type NATS struct {
	config NATSConfig // with the port that was picked
	dir    string     // resolved
	users  []*server.User
	lock   *os.File

	mu      sync.Mutex // one Restart or Stop at a time
	stopped bool
	server  atomic.Pointer[server.Server]
}

// StartNATS starts a server with JetStream and returns when it accepts clients. Every message is on disk before it is
// acknowledged (sync_interval always): the default of two minutes loses acknowledged messages when power fails.
func StartNATS(ctx context.Context, c NATSConfig) (*NATS, error) {
	if c.Host == "" {
		c.Host = "127.0.0.1"
	}
	users, err := serverUsers(c)
	if err != nil {
		return nil, fmt.Errorf("start NATS: %w", err)
	}
	dir, err := stateFolder(c.Dir)
	if err != nil {
		return nil, err
	}
	lock, err := lockFolder(dir)
	if err != nil {
		return nil, err
	}
	n := &NATS{config: c, dir: dir, users: append(users, probeUser()), lock: lock}
	if err := n.start(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("start NATS in %s: %w", dir, err), Unlock(lock))
	}
	return n, nil
}

// start runs a server on the folder and keeps it and its port.
func (n *NATS) start(ctx context.Context) error {
	s, err := startServer(ctx, n.config, n.dir, n.users)
	if err != nil {
		return err
	}
	if n.config.Port == 0 {
		n.config.Port = s.Addr().(*net.TCPAddr).Port
	}
	n.server.Store(s)
	return nil
}

// Restart ends the server and starts it again on the same files and port; its clients connect again by themselves. A
// JetStream that froze on a full or failing disk works again only after this. When the start fails, nothing runs, and
// Restart may be called again.
func (n *NATS) Restart(ctx context.Context) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.stopped {
		return errors.New("restart NATS: it was stopped")
	}
	if err := n.end(ctx); err != nil {
		return fmt.Errorf("restart NATS: %w", err)
	}
	if err := n.start(ctx); err != nil {
		return fmt.Errorf("restart NATS in %s: %w", n.dir, err)
	}
	return nil
}

func startServer(ctx context.Context, c NATSConfig, dir string, users []*server.User) (*server.Server, error) {
	port := c.Port
	if port > 0 {
		if err := CheckPort(c.Host, port, "the NATS port setting"); err != nil {
			return nil, err
		}
	}
	if port <= 0 {
		port = server.RANDOM_PORT
	}
	maxStore := c.MaxStore
	if maxStore == 0 {
		maxStore = defaultMaxStore
	}
	s, err := server.NewServer(&server.Options{
		ServerName: "naksha", Host: c.Host, Port: port, DontListen: c.Port < 0, Users: users,
		JetStream: true, StoreDir: dir, JetStreamMaxStore: maxStore, JetStreamMaxMemory: 16 << 20,
		SyncAlways: true, SyncInterval: 2 * time.Minute,
		NoSigs: true, MaxPayload: 1 << 20,
	})
	if err != nil {
		return nil, err
	}
	log := &natsLog{log: orDiscard(c.Log)}
	s.SetLoggerV2(log, false, false, false)
	s.Start() // returns once the listeners stand, or after a fatal error
	err = poll(ctx, func() bool {
		return log.fatal() != nil || s.ReadyForConnections(time.Millisecond) && s.JetStreamEnabled()
	})
	if err = errors.Join(log.fatal(), err); err != nil {
		s.Shutdown()
		s.WaitForShutdown()
		return nil, err
	}
	return s, nil
}

// serverUsers joins rights and passwords.
func serverUsers(c NATSConfig) ([]*server.User, error) {
	var users []*server.User
	for _, name := range c.Permissions.Users() {
		if password := c.Passwords[name]; password != "" {
			users = append(users, &server.User{Username: name, Password: password, Permissions: c.Permissions.users[name].serverPermissions()})
		}
	}
	for name := range c.Passwords {
		if _, known := c.Permissions.users[name]; !known {
			return nil, fmt.Errorf("user %s has a password but no permissions", name)
		}
	}
	if len(users) == 0 {
		return nil, errors.New("no user has permissions and a password: without users anybody could connect")
	}
	return users, nil
}

// URL returns the address for clients, or an empty string when the server does not listen.
func (n *NATS) URL() string {
	if n.config.Port < 0 {
		return ""
	}
	return n.Server().ClientURL()
}

// Server returns the server as it is now, for nats.InProcessServer.
func (n *NATS) Server() *server.Server { return n.server.Load() }

// Ready returns nil while clients can connect.
func (n *NATS) Ready() error {
	if s := n.Server(); !s.Running() || !s.ReadyForConnections(time.Millisecond) {
		return errors.New("NATS does not accept clients")
	}
	return nil
}

// Healthy returns nil while every stream and consumer works, and else what is wrong: a stream whose file could not be
// written stays frozen until a restart, and says so here only.
func (n *NATS) Healthy() error {
	status := n.Server().Healthz(&server.HealthzOptions{})
	if status.StatusCode != 200 && status.Error != "" {
		return fmt.Errorf("NATS is not healthy: %s", status.Error)
	}
	if status.Status != "ok" {
		return fmt.Errorf("NATS is not healthy: %s", status.Status)
	}
	return nil
}

// Stop ends the server after its files are written. A second Stop does nothing.
func (n *NATS) Stop(ctx context.Context) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.stopped {
		return nil
	}
	if err := n.end(ctx); err != nil {
		return fmt.Errorf("stop NATS: %w", err)
	}
	n.stopped = true
	return Unlock(n.lock)
}

// end shuts the server down and waits for it.
func (n *NATS) end(ctx context.Context) error {
	s, ended := n.Server(), make(chan struct{})
	go func() {
		s.Shutdown()
		s.WaitForShutdown()
		close(ended)
	}()
	select {
	case <-ended:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
