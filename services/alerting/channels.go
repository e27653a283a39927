package alerting

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"

	"github.com/naksha-cloud/naksha/services/alerting/internal/channel"
	"github.com/naksha-cloud/naksha/services/alerting/internal/channel/email"
	"github.com/naksha-cloud/naksha/services/alerting/internal/policy"
)

// channels are those that are set up: webhook always, since each target may bring its own address; email with a server.
func (s *Service) channels() ([]channel.Channel, error) {
	set := []channel.Channel{s.webhook}
	if s.config.SMTP.Host == "" {
		return set, nil
	}
	trust, err := trusted(s.config.SMTP.CAFile)
	if err != nil {
		return nil, err
	}
	c := s.config.SMTP
	mail, err := email.New(email.Config{
		Host: c.Host, Port: c.Port, TLS: email.TLS(c.TLS), Username: c.Username, Password: c.Password.Reveal(), From: c.From,
		Trust: trust, Hello: c.Hello,
	})
	if err != nil {
		return nil, err
	}
	return append(set, mail), nil
}

// trusted is the TLS configuration that believes the certificates in a file; nil for no file.
func trusted(file string) (*tls.Config, error) {
	if file == "" {
		return nil, nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read smtp.ca_file: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, errors.New("smtp.ca_file holds no certificate in PEM form")
	}
	return &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}, nil
}

// complete adds to the book what the configuration says of channels.
func (s *Service) complete(book policy.Book, channels []channel.Channel) policy.Book {
	book.Channels = map[string]bool{}
	for _, c := range channels {
		book.Channels[c.Name()] = true
	}
	if s.config.Webhook.URL != "" {
		book.Hook = policy.Hook{URL: s.config.Webhook.URL, Secret: policy.Secret(s.config.Webhook.Secret.Reveal())}
	}
	return book
}
