package up

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/naksha-cloud/naksha/pkg/conf"
)

// External are pieces that run elsewhere. Each takes the place of a private one; an empty one changes nothing.
type External struct {
	DatabaseURL conf.Secret  `conf:"database_url" doc:"postgres:// URL of a superuser of the platform database's server"`
	CellURL     conf.Secret  `conf:"cell_url" doc:"postgres:// URL of a superuser of the first cell's server"`
	NATS        ExternalNATS `conf:"nats"`
	S3          ExternalS3   `conf:"s3"`
}

// ExternalNATS is a NATS server or cluster with JetStream.
type ExternalNATS struct {
	URL           string `conf:"url" doc:"nats://host:port or tls://host:port, several separated by commas"`
	CAFile        string `conf:"ca_file" doc:"certificates that a tls:// server must be signed by; empty = the system's"`
	PasswordsFile string `conf:"passwords_file" doc:"YAML file of mode 0600 with the password of each NATS user; empty = those of naksha nats-users"`
	Replicas      int    `conf:"replicas" doc:"copies of each stream: 3 in a cluster; 0 = 1"`
}

// ExternalS3 are the regions.
type ExternalS3 struct {
	Primary ExternalRegion `conf:"primary"`
	DR      ExternalRegion `conf:"dr"`
}

// ExternalRegion is one S3 endpoint with the AWS IAM API.
type ExternalRegion struct {
	Endpoint      string      `conf:"endpoint" doc:"URL of S3"`
	IAMEndpoint   string      `conf:"iam_endpoint" doc:"URL of the AWS IAM API; empty = endpoint"`
	AccessKey     string      `conf:"access_key" doc:"id of a key that may make buckets and users"`
	SecretKey     conf.Secret `conf:"secret_key" doc:"its secret"`
	SigningRegion string      `conf:"signing_region" doc:"region name for signatures; empty = us-east-1"`
	CAFile        string      `conf:"ca_file" doc:"certificates that an https endpoint must be signed by; empty = the system's"`
}

// Validate names the first field that cannot work, and what it takes.
func (e External) Validate() error {
	for name, text := range map[string]conf.Secret{"database_url": e.DatabaseURL, "cell_url": e.CellURL} {
		u, err := url.Parse(text.Reveal())
		if text != "" && (err != nil || u.Scheme != "postgres" && u.Scheme != "postgresql" || u.Hostname() == "" || u.User.Username() == "") {
			return fmt.Errorf("%s is malformed: give postgres://user:password@host:port/postgres", name)
		}
	}
	for _, server := range strings.Split(e.NATS.URL, ",") {
		if u, err := url.Parse(strings.TrimSpace(server)); err != nil || u.User != nil {
			return errors.New("nats.url: give nats://host:port without a user: each service is one, with its own password")
		}
	}
	for name, r := range map[string]ExternalRegion{"s3.primary": e.S3.Primary, "s3.dr": e.S3.DR} {
		if err := r.validate(); err != nil {
			return fmt.Errorf("%s.%w", name, err)
		}
	}
	return nil
}

func (r ExternalRegion) validate() error {
	if r == (ExternalRegion{}) {
		return nil
	}
	for name, text := range map[string]string{"endpoint": r.Endpoint, "iam_endpoint": r.iam()} {
		u, err := url.Parse(text)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			return fmt.Errorf("%s is malformed: give http://host:port or https://host:port", name)
		}
	}
	if r.AccessKey == "" || r.SecretKey == "" {
		return errors.New("access_key and secret_key are empty: give a key that may make buckets and users")
	}
	return nil
}

func (r ExternalRegion) iam() string {
	if r.IAMEndpoint != "" {
		return r.IAMEndpoint
	}
	return r.Endpoint
}

// platformURL is the platform database's server as its superuser reaches it.
func (p *Platform) platformURL() string {
	if outside := p.config.External.DatabaseURL.Reveal(); outside != "" {
		return outside
	}
	return p.platform.Load().SuperuserURL("postgres")
}

// cellURL is the first cell's server as its superuser reaches it.
func (p *Platform) cellURL() string {
	if outside := p.config.External.CellURL.Reveal(); outside != "" {
		return outside
	}
	return p.cell.Load().SuperuserURL("postgres")
}

// as is a server's URL for another user and database; what else it says (TLS, timeouts) stays.
func as(server, user, password, database string) string {
	u, err := url.Parse(server)
	if err != nil {
		return server // Validate took it; the connection says what is wrong
	}
	u.User, u.Path = url.UserPassword(user, password), "/"+database
	return u.String()
}

// in is a server's URL for another database.
func in(server, database string) string {
	u, err := url.Parse(server)
	if err != nil {
		return server
	}
	u.Path = "/" + database
	return u.String()
}

// hostPort is where a URL points; empty when it does not parse.
func hostPort(address, port string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	if u.Port() != "" {
		port = u.Port()
	}
	return net.JoinHostPort(u.Hostname(), port)
}

// natsURL is where the services find the bus.
func (p *Platform) natsURL() string {
	if outside := p.config.External.NATS.URL; outside != "" {
		return outside
	}
	return p.nats.URL()
}

// natsPassword is a NATS user's password.
func (p *Platform) natsPassword(user string) string {
	if given, ok := p.natsPasswords[user]; ok {
		return given
	}
	return p.state.password("nats/" + user)
}

// readPasswords reads the passwords of the external server's users.
func (p *Platform) readPasswords() error {
	path := p.config.External.NATS.PasswordsFile
	if path == "" {
		return nil
	}
	info, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("NATS passwords: %w", err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return fmt.Errorf("NATS passwords: %s can be read by others: run chmod 600 on it", path)
	}
	content, err := os.ReadFile(path)
	if err == nil {
		err = yaml.Unmarshal(content, &p.natsPasswords)
	}
	if err != nil {
		return fmt.Errorf("NATS passwords: %w: give lines such as `tenant: password`", err)
	}
	return nil
}
