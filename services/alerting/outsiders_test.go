package alerting_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/mail"
	"strings"
	"sync"
	"testing"

	"github.com/emersion/go-smtp"
)

// hookKey is the receiver's own copy of the secret: what is inside hookSecret.
var hookKey = []byte("0123456789abcdef0123456789abcdef")

// hookSecret is what the service is told.
func hookSecret() string { return "whsec_" + base64.StdEncoding.EncodeToString(hookKey) }

// call is one signed call that a receiver believed.
type call struct {
	ID   string
	Type string
	Data struct {
		Target   string
		Level    int
		Cycle    int
		Late     float64 `json:"late_seconds"`
		Incident struct {
			Name, Title, Severity, State string
		}
		Alerts []struct{ Labels map[string]string }
	}
}

// receiver is somebody's webhook, in code of its own: it believes only what is signed as Standard Webhooks says.
type receiver struct {
	URL string

	mu     sync.Mutex
	calls  []call
	forged int
	answer func(c call) int // status; nil = 204
}

func newReceiver(t testing.TB) *receiver {
	t.Helper()
	r := &receiver{}
	server := httptest.NewServer(r)
	t.Cleanup(server.Close)
	r.URL = server.URL + "/hook"
	return r
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	body, _ := io.ReadAll(q.Body)
	mac := hmac.New(sha256.New, hookKey)
	fmt.Fprintf(mac, "%s.%s.%s", q.Header.Get("webhook-id"), q.Header.Get("webhook-timestamp"), body)
	want := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
	got := call{ID: q.Header.Get("webhook-id")}
	if q.Header.Get("webhook-signature") != want || json.Unmarshal(body, &got) != nil {
		r.mu.Lock()
		r.forged++
		r.mu.Unlock()
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	r.mu.Lock()
	r.calls = append(r.calls, got)
	answer := r.answer
	r.mu.Unlock()
	status := http.StatusNoContent
	if answer != nil {
		status = answer(got)
	}
	w.WriteHeader(status)
}

// answers sets how the receiver answers.
func (r *receiver) answers(f func(c call) int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answer = f
}

// seen are the calls so far.
func (r *receiver) seen() []call {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]call(nil), r.calls...)
}

// of are the calls of a type, each once: repeats have the id of the first.
func (r *receiver) of(kind string) (found []call) {
	known := map[string]bool{}
	for _, c := range r.seen() {
		if c.Type == kind && !known[c.ID] {
			known[c.ID] = true
			found = append(found, c)
		}
	}
	return found
}

// letter is a mail that a mailbox took.
type letter struct {
	To      string
	Header  mail.Header
	Content string
}

// mailbox is somebody's mail server.
type mailbox struct {
	Port int

	mu      sync.Mutex
	letters []letter
}

func newMailbox(t testing.TB) *mailbox {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	box := &mailbox{Port: listener.Addr().(*net.TCPAddr).Port}
	server := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return &session{box: box}, nil }))
	server.Domain = "localhost"
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(listener)
	}()
	t.Cleanup(func() {
		_ = server.Close()
		<-done
	})
	return box
}

// seen are the letters so far.
func (m *mailbox) seen() []letter {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]letter(nil), m.letters...)
}

// unique are the letters so far, each once: repeats have the Message-ID of the first.
func (m *mailbox) unique() (found []letter) {
	known := map[string]bool{}
	for _, l := range m.seen() {
		if id := l.Header.Get("Message-ID"); !known[id] {
			known[id] = true
			found = append(found, l)
		}
	}
	return found
}

type session struct {
	box *mailbox
	to  string
}

func (s *session) Mail(string, *smtp.MailOptions) error { return nil }
func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.to = to
	return nil
}
func (s *session) Reset()        {}
func (s *session) Logout() error { return nil }
func (s *session) Data(r io.Reader) error {
	message, err := mail.ReadMessage(r)
	if err != nil {
		return err
	}
	var content strings.Builder
	if _, err := io.Copy(&content, message.Body); err != nil {
		return err
	}
	s.box.mu.Lock()
	defer s.box.mu.Unlock()
	s.box.letters = append(s.box.letters, letter{To: s.to, Header: message.Header, Content: content.String()})
	return nil
}
