package webhook_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"flag"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/naksha-cloud/naksha/pkg/clock"
	"github.com/naksha-cloud/naksha/services/alerting/internal/channel"
	"github.com/naksha-cloud/naksha/services/alerting/internal/channel/channeltest"
	"github.com/naksha-cloud/naksha/services/alerting/internal/channel/webhook"
	"github.com/naksha-cloud/naksha/services/alerting/internal/policy"
)

var update = flag.Bool("update", false, "write golden files")

// secret is the example of Standard Webhooks' own documentation.
const secret = policy.Secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")

// provider is somebody's receiver.
type provider struct {
	server *httptest.Server
	other  *httptest.Server
	done   chan struct{}

	mu       sync.Mutex
	behavior channeltest.Behavior
	received []channeltest.Received
}

func start(t *testing.T) (channel.Channel, channeltest.Provider) {
	t.Helper()
	p := &provider{done: make(chan struct{})}
	p.server, p.other = httptest.NewServer(p), httptest.NewServer(http.HandlerFunc(p.take))
	c := webhook.New(clock.System())
	t.Cleanup(func() {
		close(p.done)
		c.Close()
		p.server.Close()
		p.other.Close()
	})
	return c, p
}

func (p *provider) Address() policy.Address {
	return policy.Address{To: p.server.URL + "/hook", Secret: secret}
}

func (p *provider) Behave(b channeltest.Behavior) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.behavior = b
}

func (p *provider) Received() []channeltest.Received {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]channeltest.Received(nil), p.received...)
}

func (p *provider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	behavior := p.behavior
	p.mu.Unlock()
	switch behavior {
	case channeltest.Busy:
		w.Header().Set("Retry-After", "7")
		w.WriteHeader(http.StatusServiceUnavailable)
	case channeltest.Refuse:
		w.WriteHeader(http.StatusGone)
	case channeltest.Hang:
		select {
		case <-p.done:
		case <-r.Context().Done():
		}
	case channeltest.HangUp:
		panic(http.ErrAbortHandler)
	case channeltest.Forward:
		http.Redirect(w, r, p.other.URL, http.StatusTemporaryRedirect)
	default:
		p.take(w, r)
	}
}

func (p *provider) take(_ http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	var plain any
	if json.Unmarshal(body, &plain) != nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.received = append(p.received, channeltest.Received{ID: r.Header.Get(webhook.HeaderID), Text: string(body)})
}

func TestKeepsTheCommonPromises(t *testing.T) {
	t.Parallel()
	channeltest.Run(t, start)
}

func TestSignsAsStandardWebhooks(t *testing.T) {
	t.Parallel()
	// The example of Standard Webhooks' documentation.
	got, err := webhook.Sign(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", []byte(`{"test": 2432232314}`))
	if err != nil || got != "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=" {
		t.Errorf("%s, %v", got, err)
	}
	for _, bad := range []policy.Secret{"", "plain", "whsec_", "whsec_!", policy.Secret("whsec_" + base64.StdEncoding.EncodeToString([]byte("short")))} {
		if _, err := webhook.Sign(bad, "i", "1", nil); err == nil {
			t.Errorf("signed with a bad secret")
		}
	}
}

func TestBodyIsStable(t *testing.T) {
	t.Parallel()
	c, p := start(t)
	if err := c.Send(t.Context(), p.Address(), channeltest.Message("d1")); err != nil {
		t.Fatal(err)
	}
	golden := filepath.Join("testdata", "page.json")
	got := p.Received()[0].Text
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("the body changed:\n%s\nwas\n%s", got, want)
	}
}

func TestHonoursTheReceiversWishToWait(t *testing.T) {
	t.Parallel()
	c, p := start(t)
	p.Behave(channeltest.Busy)
	err := c.Send(t.Context(), p.Address(), channeltest.Message("d1"))
	if channel.RetryAfter(err) != 7*time.Second {
		t.Errorf("%v after %v", err, channel.RetryAfter(err))
	}
}

func TestFollowsARedirectOnTheSameHost(t *testing.T) {
	t.Parallel()
	var body string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/" {
			http.Redirect(w, r, "/moved", http.StatusPermanentRedirect)
			return
		}
		b, _ := io.ReadAll(r.Body)
		body = r.Method + string(b)
	}))
	t.Cleanup(server.Close)
	c := webhook.New(clock.System())
	t.Cleanup(c.Close)
	err := c.Send(context.Background(), policy.Address{To: server.URL, Secret: secret}, channeltest.Message("d1"))
	if err != nil || !strings.HasPrefix(body, "POST{") {
		t.Errorf("%v, %s", err, body)
	}
}
