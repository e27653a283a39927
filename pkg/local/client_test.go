package local_test

import (
	"errors"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/naksha-cloud/naksha/pkg/local"
	"github.com/naksha-cloud/naksha/pkg/local/localtest"
)

// client is a connection to the bus as one user; what the server refuses arrives in refusals.
type client struct {
	*nats.Conn
	js       jetstream.JetStream
	user     string
	refusals chan error
}

func newClient(t *testing.T, n *local.NATS, user string) *client {
	t.Helper()
	c := &client{user: user, refusals: make(chan error, 100)}
	conn, err := nats.Connect("", nats.InProcessServer(n.Server()), nats.UserInfo(user, user), nats.CustomInboxPrefix("_INBOX_"+user),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { c.refusals <- err }))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	c.Conn = conn
	if c.js, err = jetstream.New(conn); err != nil {
		t.Fatal(err)
	}
	return c
}

// makeStream makes the tenant service's stream as that service does.
func makeStream(t *testing.T, tenant *client) jetstream.Stream {
	t.Helper()
	stream, err := tenant.js.CreateOrUpdateStream(t.Context(), jetstream.StreamConfig{
		Name: "TENANT", Subjects: []string{"naksha.tenant.v1.>"}, Storage: jetstream.FileStorage, Discard: jetstream.DiscardNew,
		MaxBytes: 1 << 24, Duplicates: time.Minute, AllowAtomicPublish: true, DenyDelete: true,
		RePublish: &jetstream.RePublish{Source: "naksha.tenant.v1.>", Destination: "naksha.feed.tenant.v1.>"},
	})
	if err != nil {
		t.Fatal(err)
	}
	return stream
}

func (c *client) wantPublishRefused(t *testing.T, subject string) {
	t.Helper()
	if err := c.PublishRequest(subject, "_INBOX_"+c.user+".reply", []byte("{}")); err != nil {
		t.Fatal(err)
	}
	c.wantRefusal(t, "publish to "+subject)
}

func (c *client) wantSubscribeRefused(t *testing.T, subject string) {
	t.Helper()
	subscription, err := c.SubscribeSync(subject)
	if err != nil {
		t.Fatal(err)
	}
	defer subscription.Unsubscribe()
	c.wantRefusal(t, "subscribe to "+subject)
}

// wantRefusal expects exactly the one refusal of the act before it.
func (c *client) wantRefusal(t *testing.T, act string) {
	t.Helper()
	if err := c.Flush(); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-c.refusals:
		if !errors.Is(err, nats.ErrPermissionViolation) {
			t.Errorf("%s may %s: %v", c.user, act, err)
		}
	case <-time.After(localtest.Patience):
		t.Errorf("%s may %s", c.user, act)
	}
}

func (c *client) wantNoViolation(t *testing.T) {
	t.Helper()
	select {
	case err := <-c.refusals:
		t.Errorf("%s was refused something that it needs: %v", c.user, err)
	default:
	}
}
