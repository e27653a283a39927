package email_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"math/big"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"github.com/naksha-cloud/naksha/services/alerting/internal/channel"
	"github.com/naksha-cloud/naksha/services/alerting/internal/channel/channeltest"
	"github.com/naksha-cloud/naksha/services/alerting/internal/channel/email"
	"github.com/naksha-cloud/naksha/services/alerting/internal/policy"
)

// provider is somebody's mail server.
type provider struct {
	port int
	done chan struct{}

	mu       sync.Mutex
	behavior channeltest.Behavior
	letters  []*mail.Message
	received []channeltest.Received
	user     string // who logged in
	secure   bool   // the last letter came over TLS
}

func newProvider(t *testing.T, change func(*smtp.Server)) *provider {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &provider{port: listener.Addr().(*net.TCPAddr).Port, done: make(chan struct{})}
	server := smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) { return &session{p: p, conn: c}, nil }))
	server.Domain, server.AllowInsecureAuth = "localhost", true
	if change != nil {
		change(server)
	}
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = server.Serve(listener)
	}()
	t.Cleanup(func() {
		close(p.done)
		_ = server.Close()
		<-served
	})
	return p
}

func (p *provider) Address() policy.Address { return policy.Address{To: "platform-oncall@example.com"} }

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

func (p *provider) config() email.Config {
	return email.Config{Host: "127.0.0.1", Port: p.port, TLS: email.None, From: "Naksha <alerts@example.com>", Hello: "test"}
}

type session struct {
	p    *provider
	conn *smtp.Conn
}

func (s *session) Mail(string, *smtp.MailOptions) error { return nil }
func (s *session) Reset()                               {}
func (s *session) Logout() error                        { return nil }

func (s *session) Rcpt(string, *smtp.RcptOptions) error {
	s.p.mu.Lock()
	defer s.p.mu.Unlock()
	switch s.p.behavior {
	case channeltest.Busy:
		return &smtp.SMTPError{Code: 451, Message: "later"}
	case channeltest.Refuse, channeltest.Forward:
		return &smtp.SMTPError{Code: 551, Message: "user not local; please try elsewhere"}
	}
	return nil
}

func (s *session) Data(r io.Reader) error {
	s.p.mu.Lock()
	behavior := s.p.behavior
	s.p.mu.Unlock()
	switch behavior {
	case channeltest.Hang:
		<-s.p.done
	case channeltest.HangUp:
		return errors.Join(s.conn.Conn().Close(), io.ErrUnexpectedEOF)
	}
	letter, err := mail.ReadMessage(r)
	if err != nil {
		return err
	}
	text, err := readable(letter)
	if err != nil {
		return err
	}
	s.p.mu.Lock()
	defer s.p.mu.Unlock()
	_, s.p.secure = s.conn.TLSConnectionState()
	id := strings.TrimSuffix(strings.TrimPrefix(letter.Header.Get("Message-Id"), "<"), "@alerts.naksha>")
	s.p.letters = append(s.p.letters, letter)
	s.p.received = append(s.p.received, channeltest.Received{ID: id, Text: text})
	return nil
}

// readable is the subject and all parts of a letter.
func readable(letter *mail.Message) (string, error) {
	subject, err := new(mime.WordDecoder).DecodeHeader(letter.Header.Get("Subject"))
	if err != nil {
		return "", err
	}
	_, parameters, err := mime.ParseMediaType(letter.Header.Get("Content-Type"))
	if err != nil {
		return "", err
	}
	parts := multipart.NewReader(letter.Body, parameters["boundary"])
	text := subject
	for {
		part, err := parts.NextRawPart()
		if errors.Is(err, io.EOF) {
			return text, nil
		}
		if err != nil {
			return "", err
		}
		content, err := io.ReadAll(quotedprintable.NewReader(part))
		if err != nil {
			return "", err
		}
		text += "\n" + part.Header.Get("Content-Type") + "\n" + string(content)
	}
}

// AuthMechanisms and Auth let one user in.
func (s *session) AuthMechanisms() []string { return []string{sasl.Plain} }

func (s *session) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if user != "naksha" || password != "pa55" {
			return errors.New("wrong")
		}
		s.p.mu.Lock()
		defer s.p.mu.Unlock()
		s.p.user = user
		return nil
	}), nil
}

func TestKeepsTheCommonPromises(t *testing.T) {
	t.Parallel()
	channeltest.Run(t, func(t *testing.T) (channel.Channel, channeltest.Provider) {
		p := newProvider(t, nil)
		return open(t, p.config()), p
	})
}

func open(t *testing.T, c email.Config) *email.Channel {
	t.Helper()
	made, err := email.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

func TestHeadersNameDeliveryThreadAndMachine(t *testing.T) {
	t.Parallel()
	p := newProvider(t, nil)
	if err := open(t, p.config()).Send(t.Context(), p.Address(), channeltest.Message("d1")); err != nil {
		t.Fatal(err)
	}
	h := p.letters[0].Header
	thread := "<0197a2c0-0000-7000-8000-000000000001@alerts.naksha>"
	for name, want := range map[string]string{
		"Message-Id": "<d1@alerts.naksha>", "References": thread, "In-Reply-To": thread, "Auto-Submitted": "auto-generated",
		"Date": "Wed, 25 Nov 2026 10:00:00 +0000", "Bcc": "", "X-Naksha-Incident": "incidents/0197a2c0-0000-7000-8000-000000000001",
	} {
		if got := h.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	text := p.received[0].Text
	if !strings.HasPrefix(text, "[SEV1] disk <b>full</b> ελ 🔥\n") || !strings.Contains(text, "1m30s late") {
		t.Errorf("%s", text)
	}
	if _, html, _ := strings.Cut(text, "text/html"); strings.Contains(html, "<script>") || strings.Contains(html, "<b>full") {
		t.Errorf("the HTML part is not escaped: %s", html)
	}
}

func TestSpeaksTLSAndLogsIn(t *testing.T) {
	t.Parallel()
	certificate, trust := selfSigned(t)
	for _, mode := range []email.TLS{email.StartTLS, email.None} {
		p := newProvider(t, func(s *smtp.Server) { s.TLSConfig = &tls.Config{Certificates: []tls.Certificate{certificate}} })
		c := p.config()
		c.TLS, c.Trust, c.Username, c.Password = mode, trust, "naksha", "pa55"
		if err := open(t, c).Send(t.Context(), p.Address(), channeltest.Message("d1")); err != nil {
			t.Errorf("%s: %v", mode, err)
			continue
		}
		if p.user != "naksha" || p.secure != (mode == email.StartTLS) {
			t.Errorf("%s: user %q, over TLS %v", mode, p.user, p.secure)
		}
	}
}

func TestSendsNothingWithoutTheTLSThatWasAskedFor(t *testing.T) {
	t.Parallel()
	certificate, _ := selfSigned(t)
	stranger := newProvider(t, func(s *smtp.Server) { s.TLSConfig = &tls.Config{Certificates: []tls.Certificate{certificate}} })
	for name, p := range map[string]*provider{"no STARTTLS": newProvider(t, nil), "unknown authority": stranger} {
		c := p.config()
		c.TLS = email.StartTLS
		if err := open(t, c).Send(t.Context(), p.Address(), channeltest.Message("d1")); err == nil || channel.Permanent(err) {
			t.Errorf("%s: %v", name, err)
		}
		if len(p.Received()) > 0 {
			t.Errorf("%s: sent", name)
		}
	}
}

func selfSigned(t *testing.T) (tls.Certificate, *tls.Config) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(parsed)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
}
