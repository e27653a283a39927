package local

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

const (
	// probeName is the user, the stream and the subject's last part of Probe; nobody outside of this process knows its password.
	probeName, probeStream, probeSubject = "probe", "PROBE", "naksha.probe"
	// probeWait bounds one Probe.
	probeWait = 3 * time.Second
)

// probeUser may write to the probe's own stream and nothing else.
func probeUser() *server.User {
	allowed := rights{
		Publish:   []string{probeSubject, "$JS.API.STREAM.CREATE." + probeStream},
		Subscribe: []string{"_INBOX_" + probeName + ".>"},
	}
	return &server.User{Username: probeName, Password: rand.Text(), Permissions: allowed.serverPermissions()}
}

// Probe returns nil when the server works from end to end: every stream takes writes, and a message is on disk and
// acknowledged. A server that is frozen still accepts clients, so Ready does not see it.
func (n *NATS) Probe(ctx context.Context) error {
	if err := errors.Join(n.Ready(), n.Healthy()); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, probeWait)
	defer cancel()
	user := n.users[len(n.users)-1]
	conn, err := nats.Connect("", nats.InProcessServer(n.Server()), nats.UserInfo(user.Username, user.Password),
		nats.CustomInboxPrefix("_INBOX_"+probeName), nats.NoReconnect())
	if err != nil {
		return fmt.Errorf("probe NATS: %w", err)
	}
	defer conn.Close()
	js, err := jetstream.New(conn)
	if err != nil {
		return fmt.Errorf("probe NATS: %w", err)
	}
	if _, err = js.Publish(ctx, probeSubject, nil, jetstream.WithRetryAttempts(0)); errors.Is(err, jetstream.ErrNoStreamResponse) {
		err = makeProbeStream(ctx, js)
	}
	if err != nil {
		return fmt.Errorf("probe NATS: a message was not stored: %w", err)
	}
	return nil
}

// makeProbeStream makes the stream of one message that probes are written to, and writes the first.
func makeProbeStream(ctx context.Context, js jetstream.JetStream) error {
	_, err := js.CreateStream(ctx, jetstream.StreamConfig{
		Name: probeStream, Subjects: []string{probeSubject}, Storage: jetstream.FileStorage, MaxMsgs: 1, Discard: jetstream.DiscardOld,
	})
	if err != nil {
		return err
	}
	_, err = js.Publish(ctx, probeSubject, nil, jetstream.WithRetryAttempts(0))
	return err
}

// Writable returns nil when the server's disk works: else a restart would only freeze it again.
func (n *NATS) Writable() error { return CheckDisk(n.dir) }
