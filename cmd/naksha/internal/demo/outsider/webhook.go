package outsider

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Hook is one webhook as it arrived, its signature verified.
type Hook struct {
	At   time.Time
	ID   string // webhook-id, the same on every try
	Path string
	Body string
}

// Hooks is a receiver of signed webhooks (Standard Webhooks). It answers 401 to what is not signed with its secret.
type Hooks struct {
	Inbox   *Inbox[Hook]
	Refused *Inbox[error] // why, for each that was not signed well
	secret  string
	server  *http.Server
	listen  net.Listener
	ended   chan struct{}
}

// OpenHooks starts a receiver on a free port of the loopback interface, with a secret of its own.
func OpenHooks() (*Hooks, error) {
	listen, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen for webhooks: %w", err)
	}
	key := make([]byte, 32)
	_, _ = rand.Read(key) // never fails
	h := &Hooks{
		Inbox: NewInbox[Hook](), Refused: NewInbox[error](), secret: secretPrefix + base64.StdEncoding.EncodeToString(key),
		listen: listen, ended: make(chan struct{}),
	}
	h.server = &http.Server{Handler: h, ReadHeaderTimeout: 5 * time.Second}
	go func() {
		defer close(h.ended)
		_ = h.server.Serve(listen) // ends with Close
	}()
	return h, nil
}

// URL is where to send.
func (h *Hooks) URL() string { return "http://" + h.listen.Addr().String() + "/page" }

// Secret is what to sign with, `whsec_…`.
func (h *Hooks) Secret() string { return h.secret }

// Close stops the receiver.
func (h *Hooks) Close() {
	_ = h.server.Close()
	<-h.ended
}

// ServeHTTP takes one webhook.
func (h *Hooks) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	if err == nil {
		err = VerifyWebhook(h.secret, r.Header, body, time.Now())
	}
	if err != nil {
		h.Refused.Add(err)
		http.Error(w, err.Error(), http.StatusUnauthorized)
		return
	}
	h.Inbox.Add(Hook{At: time.Now(), ID: r.Header.Get("webhook-id"), Path: r.URL.Path, Body: string(body)})
	w.WriteHeader(http.StatusNoContent)
}

const (
	// secretPrefix marks a secret of Standard Webhooks; base64 follows.
	secretPrefix = "whsec_"
	// tolerance is how old or new a webhook's timestamp may be: an older one may be a replay.
	tolerance = 5 * time.Minute
)

// VerifyWebhook checks a webhook by the specification of Standard Webhooks 1.0: an HMAC-SHA-256 over id, timestamp and
// body under the secret, one of possibly several `v1,` signatures.
func VerifyWebhook(secret string, header http.Header, body []byte, now time.Time) error {
	text, ok := strings.CutPrefix(secret, secretPrefix)
	if !ok {
		return errors.New("the secret does not begin with " + secretPrefix)
	}
	key, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return fmt.Errorf("the secret is no base64: %w", err)
	}
	id, stamp := header.Get("webhook-id"), header.Get("webhook-timestamp")
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil || id == "" {
		return errors.New("webhook-id or webhook-timestamp is missing or malformed")
	}
	if age := now.Sub(time.Unix(seconds, 0)); age.Abs() > tolerance {
		return fmt.Errorf("the timestamp is %v away from now", age.Round(time.Second))
	}
	mac := hmac.New(sha256.New, key)
	fmt.Fprintf(mac, "%s.%s.", id, stamp)
	mac.Write(body)
	return matchSignature(header.Get("webhook-signature"), mac.Sum(nil))
}

func matchSignature(header string, want []byte) error {
	for _, signature := range strings.Fields(header) {
		text, v1 := strings.CutPrefix(signature, "v1,")
		got, err := base64.StdEncoding.DecodeString(text)
		if v1 && err == nil && hmac.Equal(got, want) {
			return nil
		}
	}
	return errors.New("no signature matches")
}
