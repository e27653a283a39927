// Package webhook tells a target by an HTTP POST that is signed as Standard Webhooks 1.0 describes. Receivers verify
// `webhook-signature`, and drop repeats by `webhook-id`, which is the same on every try.
package webhook

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/naksha-cloud/naksha/pkg/clock"
	"github.com/naksha-cloud/naksha/services/alerting/internal/channel"
	"github.com/naksha-cloud/naksha/services/alerting/internal/policy"
)

// Header names of Standard Webhooks.
const (
	HeaderID        = "webhook-id"
	HeaderTimestamp = "webhook-timestamp"
	HeaderSignature = "webhook-signature"
)

// maxReply bounds what is read of an answer, in bytes: its rest says nothing to us.
const maxReply = 4 << 10

// Channel is a channel.Channel.
type Channel struct {
	client *http.Client
	clock  clock.Clock
}

// New returns a Channel. Its connections are its own; Close ends the idle ones.
func New(c clock.Clock) *Channel {
	transport := &http.Transport{
		Proxy: http.ProxyFromEnvironment, MaxIdleConnsPerHost: 4, IdleConnTimeout: 30 * time.Second,
		ResponseHeaderTimeout: 5 * time.Second, TLSHandshakeTimeout: 5 * time.Second, ForceAttemptHTTP2: true,
	}
	return &Channel{clock: c, client: &http.Client{Transport: transport, CheckRedirect: sameHost}}
}

// maxRedirects bounds a chain of redirects.
const maxRedirects = 3

// sameHost follows a redirect on the same host that keeps the method, and no other: a signed page belongs to the
// receiver that was configured.
func sameHost(r *http.Request, via []*http.Request) error {
	first := via[0].URL
	if len(via) > maxRedirects || r.URL.Host != first.Host || r.URL.Scheme != first.Scheme || r.Method != http.MethodPost {
		return http.ErrUseLastResponse
	}
	return nil
}

// Close ends idle connections.
func (c *Channel) Close() { c.client.CloseIdleConnections() }

// Name is `webhook`.
func (c *Channel) Name() string { return policy.Webhook }

// Send posts the message.
func (c *Channel) Send(ctx context.Context, to policy.Address, m channel.Message) error {
	request, err := c.request(ctx, to, m)
	if err != nil {
		return &channel.Failure{Permanent: true, Why: err.Error()}
	}
	response, err := c.client.Do(request)
	if err != nil {
		return fmt.Errorf("call webhook: %w", withoutURL(err))
	}
	defer response.Body.Close()
	_, _ = io.CopyN(io.Discard, response.Body, maxReply) // so that the connection can be used again
	return judge(response, c.clock.Now())
}

func (c *Channel) request(ctx context.Context, to policy.Address, m channel.Message) (*http.Request, error) {
	body, err := json.Marshal(payload(m))
	if err != nil {
		return nil, fmt.Errorf("write message: %w", err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, to.To, bytes.NewReader(body))
	if err != nil {
		return nil, errors.New("the webhook's URL is malformed")
	}
	stamp := strconv.FormatInt(c.clock.Now().Unix(), 10)
	signature, err := Sign(to.Secret, m.ID, stamp, body)
	if err != nil {
		return nil, fmt.Errorf("sign: %w", err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", "naksha-alerting")
	request.Header.Set(HeaderID, m.ID)
	request.Header.Set(HeaderTimestamp, stamp)
	request.Header.Set(HeaderSignature, signature)
	return request, nil
}

// Sign is the value of webhook-signature: `v1,` and the base64 of HMAC-SHA256 over `id.timestamp.body`.
func Sign(secret policy.Secret, id, timestamp string, body []byte) (string, error) {
	key, err := policy.SigningKey(secret)
	if err != nil {
		return "", err
	}
	mac := hmac.New(sha256.New, key)
	_, _ = fmt.Fprintf(mac, "%s.%s.%s", id, timestamp, body) // a hash does not fail
	return "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil)), nil
}

// judge reads the answer: 2xx took it; time-outs, "too many" and the server's own failures pass; the rest is for good.
func judge(r *http.Response, now time.Time) error {
	switch code := r.StatusCode; {
	case code >= 200 && code < 300:
		return nil
	case code >= 300 && code < 400:
		return &channel.Failure{Permanent: true, Why: fmt.Sprintf("the webhook answered %d, a redirect that is not followed", code)}
	case code == http.StatusRequestTimeout, code == http.StatusTooEarly, code == http.StatusTooManyRequests, code >= 500:
		return &channel.Failure{
			Why: fmt.Sprintf("the webhook answered %d", code), RetryAfter: retryAfter(r.Header.Get("Retry-After"), now),
		}
	default:
		return &channel.Failure{Permanent: true, Why: fmt.Sprintf("the webhook answered %d", code)}
	}
}

// retryAfter reads seconds or an HTTP date.
func retryAfter(value string, now time.Time) time.Duration {
	if seconds, err := strconv.Atoi(value); err == nil && seconds > 0 && seconds < 1<<20 {
		return time.Duration(seconds) * time.Second
	}
	if at, err := http.ParseTime(value); err == nil && at.After(now) {
		return at.Sub(now)
	}
	return 0
}
