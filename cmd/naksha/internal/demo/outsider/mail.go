package outsider

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"strings"
	"time"

	"github.com/emersion/go-smtp"
)

// Mail is one message as it arrived.
type Mail struct {
	At      time.Time
	To      string // of the envelope
	ID      string // Message-ID
	Subject string // decoded
	Body    string // every text part, decoded
}

// Mailbox is a mail server that takes everything.
type Mailbox struct {
	Inbox  *Inbox[Mail]
	server *smtp.Server
	listen net.Listener
	ended  chan struct{}
}

// OpenMailbox starts a mail server on a free port of the loopback interface.
func OpenMailbox() (*Mailbox, error) {
	listen, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen for mail: %w", err)
	}
	box := &Mailbox{Inbox: NewInbox[Mail](), listen: listen, ended: make(chan struct{})}
	box.server = smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return &mailSession{box: box}, nil }))
	box.server.Domain = "mail.outside.example"
	box.server.MaxMessageBytes = 1 << 20
	go func() {
		defer close(box.ended)
		_ = box.server.Serve(listen) // ends with Close
	}()
	return box, nil
}

// Address is host:port.
func (b *Mailbox) Address() string { return b.listen.Addr().String() }

// Close stops the server.
func (b *Mailbox) Close() {
	_ = b.server.Close()
	<-b.ended
}

// mailSession is one envelope.
type mailSession struct {
	box *Mailbox
	to  []string
}

func (s *mailSession) Reset()                                    { s.to = nil }
func (s *mailSession) Logout() error                             { return nil }
func (s *mailSession) Mail(string, *smtp.MailOptions) error      { return nil }
func (s *mailSession) Rcpt(to string, _ *smtp.RcptOptions) error { s.to = append(s.to, to); return nil }

func (s *mailSession) Data(r io.Reader) error {
	content, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	m, err := readMail(content)
	if err != nil {
		return &smtp.SMTPError{Code: 554, Message: err.Error()}
	}
	m.At, m.To = time.Now(), strings.Join(s.to, ", ")
	s.box.Inbox.Add(m)
	return nil
}

func readMail(content []byte) (Mail, error) {
	message, err := mail.ReadMessage(bytes.NewReader(content))
	if err != nil {
		return Mail{}, fmt.Errorf("read the message: %w", err)
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(message.Header.Get("Subject"))
	if err != nil {
		return Mail{}, fmt.Errorf("read the subject: %w", err)
	}
	body, err := readPart(message.Header.Get("Content-Type"), message.Header.Get("Content-Transfer-Encoding"), message.Body)
	return Mail{ID: message.Header.Get("Message-ID"), Subject: subject, Body: body}, err
}

// readPart decodes one part, and the parts inside it.
func readPart(contentType, encoding string, r io.Reader) (string, error) {
	kind, options, err := mime.ParseMediaType(contentType)
	if err == nil && strings.HasPrefix(kind, "multipart/") {
		return readParts(multipart.NewReader(r, options["boundary"]))
	}
	switch strings.ToLower(encoding) {
	case "quoted-printable":
		r = quotedprintable.NewReader(r)
	case "base64":
		r = base64.NewDecoder(base64.StdEncoding, r)
	}
	text, err := io.ReadAll(r)
	return string(text), err
}

func readParts(parts *multipart.Reader) (string, error) {
	var all strings.Builder
	for {
		part, err := parts.NextRawPart()
		if err == io.EOF {
			return all.String(), nil
		}
		if err != nil {
			return "", err
		}
		text, err := readPart(part.Header.Get("Content-Type"), part.Header.Get("Content-Transfer-Encoding"), part)
		if err != nil {
			return "", err
		}
		all.WriteString(text)
	}
}
