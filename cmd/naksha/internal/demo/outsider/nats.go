package outsider

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
)

// Fact is what a subscriber saw.
type Fact struct {
	ID      string // CloudEvents id
	Subject string
	Type    string // CloudEvents type
	At      time.Time
}

// Feed is a subscriber of the platform's facts, with a NATS user of its own.
type Feed struct {
	url, user, password string
	conn                *nats.Conn
	facts               *Inbox[Fact]
}

// FeedSubject is what an outsider may subscribe to.
const FeedSubject = "naksha.feed.>"

// NewFeed describes a subscriber; Open connects it.
func NewFeed(url, user, password string) *Feed {
	return &Feed{url: url, user: user, password: password, facts: NewInbox[Fact]()}
}

// Open connects and subscribes to everything that outsiders may see.
func (f *Feed) Open() error {
	conn, err := f.connect()
	if err != nil {
		return err
	}
	_, err = conn.Subscribe(FeedSubject, func(m *nats.Msg) {
		f.facts.Add(Fact{ID: m.Header.Get("ce-id"), Subject: m.Subject, Type: m.Header.Get("ce-type"), At: time.Now()})
	})
	if err = errors.Join(err, conn.Flush()); err != nil {
		conn.Close()
		return fmt.Errorf("subscribe to %s: %w", FeedSubject, err)
	}
	f.conn = conn
	return nil
}

func (f *Feed) connect(options ...nats.Option) (*nats.Conn, error) {
	options = append(options, nats.UserInfo(f.user, f.password), nats.CustomInboxPrefix("_INBOX_"+f.user),
		nats.MaxReconnects(-1), nats.ReconnectWait(200*time.Millisecond))
	conn, err := nats.Connect(f.url, options...)
	if err != nil {
		return nil, fmt.Errorf("connect to NATS as %s: %w", f.user, err)
	}
	return conn, nil
}

// Close ends the subscription.
func (f *Feed) Close() {
	if f.conn != nil {
		f.conn.Close()
	}
}

// Await waits for a fact whose subject has these two ends, e.g. `naksha.feed.tenant.v1.` and the workspace's ref.
func (f *Feed) Await(ctx context.Context, prefix, suffix string) (Fact, error) {
	return f.facts.Await(ctx, func(fact Fact) bool {
		return strings.HasPrefix(fact.Subject, prefix) && strings.HasSuffix(fact.Subject, suffix)
	})
}

// All are the facts that were seen so far.
func (f *Feed) All() []Fact { return f.facts.All(func(Fact) bool { return true }) }

// Count is how many facts were seen.
func (f *Feed) Count() int { return len(f.All()) }

// TrySubscribe returns the server's refusal to a subscription, nil when it is let through.
func (f *Feed) TrySubscribe(ctx context.Context, subject string) error {
	return f.try(ctx, func(conn *nats.Conn) error {
		_, err := conn.SubscribeSync(subject)
		return err
	})
}

// TryPublish returns the server's refusal to a message, nil when it is let through.
func (f *Feed) TryPublish(ctx context.Context, subject string) error {
	return f.try(ctx, func(conn *nats.Conn) error { return conn.Publish(subject, []byte("forged")) })
}

// try acts on a connection of its own. The server answers in order: what it refuses, it refuses before it answers the
// flush; the library hands the refusal on a moment later.
func (f *Feed) try(ctx context.Context, act func(*nats.Conn) error) error {
	refusals := make(chan error, 4)
	conn, err := f.connect(nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) {
		select {
		case refusals <- err:
		default:
		}
	}))
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := errors.Join(act(conn), conn.FlushWithContext(ctx)); err != nil {
		return err
	}
	if err := conn.LastError(); err != nil {
		return err
	}
	grace := time.NewTimer(300 * time.Millisecond)
	defer grace.Stop()
	select {
	case err := <-refusals:
		return err
	case <-grace.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Forbidden says whether NATS refused for want of permission.
func Forbidden(err error) bool { return errors.Is(err, nats.ErrPermissionViolation) }
