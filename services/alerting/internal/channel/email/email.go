// Package email tells a target by mail over SMTP. Every try of a delivery carries the same Message-ID, and every mail of
// an incident refers to the same thread, so that a mailbox shows one conversation and a repeat is seen as one.
package email

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"

	"github.com/wneessen/go-mail"

	"github.com/naksha-cloud/naksha/services/alerting/internal/channel"
	"github.com/naksha-cloud/naksha/services/alerting/internal/delivery"
	"github.com/naksha-cloud/naksha/services/alerting/internal/policy"
)

// Domain is the right side of our message ids.
const Domain = "alerts.naksha"

// TLS says how a connection is protected.
type TLS string

// The modes.
const (
	None     TLS = "none"     // plain text: for a relay on the same machine
	StartTLS TLS = "starttls" // plain text until STARTTLS, which must work
	Implicit TLS = "tls"      // TLS from the first byte (port 465)
)

// Config says which server takes our mail.
type Config struct {
	Host     string
	Port     int
	TLS      TLS
	Username string
	Password string
	From     string      // sender's address, may carry a name
	Trust    *tls.Config // whose certificates are believed; nil = the system's authorities
	Hello    string      // name that we greet with
}

// Validate says what cannot work.
func (c Config) Validate() error {
	switch {
	case c.Port < 1 || c.Port > 65535:
		return fmt.Errorf("smtp.port is %d: give 1 to 65535", c.Port)
	case c.TLS != None && c.TLS != StartTLS && c.TLS != Implicit:
		return fmt.Errorf("smtp.tls is %q: give none, starttls or tls", c.TLS)
	case c.TLS == None && c.Password != "" && !loopback(c.Host):
		return errors.New("smtp.tls is none, and the password would cross the network in plain text: give starttls or tls")
	}
	if err := mail.NewMsg().From(c.From); err != nil {
		return fmt.Errorf("smtp.from %q is no address", c.From)
	}
	return nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// Channel is a channel.Channel.
type Channel struct{ config Config }

// New returns a Channel. It opens a connection for each mail: pages are rare, and a kept one is dead when it counts.
func New(c Config) (*Channel, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	return &Channel{config: c}, nil
}

// Name is `email`.
func (c *Channel) Name() string { return policy.Email }

// Send hands the message to the server. A failure after the server took the mail is no failure.
func (c *Channel) Send(ctx context.Context, to policy.Address, m channel.Message) error {
	msg, err := compose(c.config.From, to.To, m)
	if err != nil {
		return &channel.Failure{Permanent: true, Why: err.Error()}
	}
	client, err := mail.NewClient(c.config.Host, c.options()...)
	if err != nil {
		return &channel.Failure{Permanent: true, Why: fmt.Sprintf("the mail client cannot be set up: %v", err)}
	}
	err = client.DialAndSendWithContext(ctx, msg)
	if err == nil || msg.IsDelivered() {
		return nil
	}
	return judge(err)
}

// judge tells a refusal of this mail (a 5xx reply to it) from a server that may work later.
func judge(err error) error {
	var refused *mail.SendError
	if errors.As(err, &refused) && refused.ErrorCode() >= 500 {
		return &channel.Failure{Permanent: true, Why: fmt.Sprintf("the mail server refused: %v", err)}
	}
	return fmt.Errorf("hand mail over: %w", err)
}

func (c *Channel) options() []mail.Option {
	options := []mail.Option{
		mail.WithPort(c.config.Port), mail.WithTimeout(delivery.Timeout), mail.WithoutNoop(), mail.WithoutRset(),
	}
	if c.config.Hello != "" {
		options = append(options, mail.WithHELO(c.config.Hello))
	}
	if c.config.Trust != nil {
		trust := c.config.Trust.Clone()
		trust.ServerName = c.config.Host
		options = append(options, mail.WithTLSConfig(trust))
	}
	switch c.config.TLS {
	case None:
		options = append(options, mail.WithTLSPolicy(mail.NoTLS))
	case StartTLS:
		options = append(options, mail.WithTLSPolicy(mail.TLSMandatory))
	case Implicit:
		options = append(options, mail.WithSSL())
	}
	return append(options, c.auth()...)
}

// auth lets the server's offer decide; without TLS, which Validate allows on the loopback alone, PLAIN is taken too.
func (c *Channel) auth() []mail.Option {
	if c.config.Username == "" {
		return nil
	}
	kind := mail.SMTPAuthAutoDiscover
	if c.config.TLS == None {
		kind = mail.SMTPAuthPlainNoEnc
	}
	return []mail.Option{
		mail.WithSMTPAuth(kind), mail.WithUsername(c.config.Username), mail.WithPassword(c.config.Password),
	}
}
