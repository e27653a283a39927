package alerting

import (
	"errors"
	"fmt"
	"time"

	"github.com/naksha-cloud/naksha/pkg/conf"
	"github.com/naksha-cloud/naksha/pkg/service"
	"github.com/naksha-cloud/naksha/services/alerting/internal/alert"
	"github.com/naksha-cloud/naksha/services/alerting/internal/channel/email"
	"github.com/naksha-cloud/naksha/services/alerting/internal/delivery"
	"github.com/naksha-cloud/naksha/services/alerting/internal/playbook"
)

// Config is what the service is told. Whom it tells about what is the policy file's matter: its sections are described
// in internal/playbook/policies.yaml, which holds where there is no file.
//
//	http_listen: 127.0.0.1:7830
//	policy_file: /etc/naksha/alerting-policies.yaml
//	smtp: {host: mail.example.com, port: 587, tls: starttls, username: naksha, password_file: /run/secrets/smtp}
//	webhook: {url: https://chat.example.com/hooks/naksha, secret_file: /run/secrets/webhook}
type Config struct {
	service.Config `conf:",squash"`
	HTTPListen     string        `conf:"http_listen" doc:"host:port of Alertmanager's HTTP API; empty = none"`
	HTTPToken      conf.Secret   `conf:"http_token" doc:"bearer token that callers of the HTTP API must show; empty = none"`
	HTTPMaxBody    conf.Size     `conf:"http_max_body" doc:"upper bound of one HTTP request"`
	PolicyFile     string        `conf:"policy_file" doc:"YAML file with policies, areas, targets and calendar, over the built-in matrix; empty = none"`
	SMTP           SMTP          `conf:"smtp"`
	Webhook        Webhook       `conf:"webhook"`
	ResolveTimeout time.Duration `conf:"resolve_timeout" doc:"how long an alert fires after a post that names no end"`
	DeliveryLife   time.Duration `conf:"delivery_life" doc:"how long a message is tried, while it is wanted, before it is given up"`
	Senders        int           `conf:"senders" doc:"messages sent at the same time by one replica"`
	Retention      time.Duration `conf:"retention" doc:"how long ended alerts and silences are kept"`
}

// SMTP is the server that takes our mail.
type SMTP struct {
	Host     string      `conf:"host" doc:"mail server; empty = the channel email is not set up"`
	Port     int         `conf:"port" doc:"its port"`
	TLS      string      `conf:"tls" doc:"none, starttls or tls (from the first byte)"`
	CAFile   string      `conf:"ca_file" doc:"certificates that sign the server's; empty = the system's authorities"`
	Username string      `conf:"username" doc:"login; empty = none"`
	Password conf.Secret `conf:"password" doc:"its password; over plain text on the loopback only"`
	From     string      `conf:"from" doc:"sender's address"`
	Hello    string      `conf:"hello" doc:"name to greet the server with; empty = this machine's"`
}

// Webhook is where targets without a webhook of their own are told.
type Webhook struct {
	URL    string      `conf:"url" doc:"http(s) address; empty = only targets with one of their own have the channel webhook"`
	Secret conf.Secret `conf:"secret" doc:"whsec_ and base64 of 24 to 64 bytes (Standard Webhooks)"`
}

// DefaultConfig is what holds where nothing else is said.
func DefaultConfig() Config {
	return Config{
		Config: service.DefaultConfig(), HTTPListen: "127.0.0.1:7830", HTTPMaxBody: 8 << 20,
		SMTP:           SMTP{Port: 587, TLS: string(email.StartTLS), From: "Naksha alerts <alerts@naksha.com>"},
		ResolveTimeout: alert.ResolveTimeout, DeliveryLife: delivery.Life, Senders: 4, Retention: 5 * 24 * time.Hour,
	}
}

// Validate names the first field that cannot work, and what it takes.
func (c Config) Validate() error {
	if err := c.Config.Validate(); err != nil {
		return err
	}
	switch {
	case c.HTTPMaxBody < 1<<10:
		return fmt.Errorf("http_max_body is %s: give 1KiB or more", c.HTTPMaxBody)
	case c.ResolveTimeout <= 0:
		return errors.New("resolve_timeout must be positive")
	case c.DeliveryLife <= 0:
		return errors.New("delivery_life must be positive")
	case c.Retention <= 0:
		return errors.New("retention must be positive")
	case c.Senders < 1 || c.Senders > 64:
		return fmt.Errorf("senders is %d: give 1 to 64", c.Senders)
	}
	if _, err := playbook.Hook(c.Webhook.URL, c.Webhook.Secret.Reveal()); err != nil {
		return err
	}
	return nil
}
