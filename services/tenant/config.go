package tenant

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/naksha-cloud/naksha/pkg/blob"
	"github.com/naksha-cloud/naksha/pkg/conf"
	"github.com/naksha-cloud/naksha/pkg/service"
	"github.com/naksha-cloud/naksha/services/tenant/internal/cell"
	"github.com/naksha-cloud/naksha/services/tenant/internal/store/bucketstore"
)

// Config is what the service is told.
type Config struct {
	service.Config `conf:",squash"`
	RootKeyFile    string  `conf:"root_key_file" doc:"file with this service's own root key, 32 bytes in base64, mode 0600"`
	AdminKeyFile   string  `conf:"admin_key_file" doc:"where an operator's key is written (0600) when there is none; empty = none is made"`
	AdminKeysSince string  `conf:"admin_keys_since" doc:"operators' keys of before this time (RFC 3339) are revoked, and a new one is written; empty = none"`
	Cell           Cell    `conf:"cell"`
	Regions        Regions `conf:"regions"`
	Slots          Slots   `conf:"slots"`
	Swap           Swap    `conf:"swap"`
}

// Cell is the one cell of today.
type Cell struct {
	ID            string        `conf:"id" doc:"cell id, as in cells/{id}"`
	Server        string        `conf:"server" doc:"id of the server that holds it, as in servers/{id}"`
	URL           conf.Secret   `conf:"url" doc:"postgres:// URL of the cell's database as its DDL login"`
	Max           int32         `conf:"max" doc:"upper bound of connections to the cell"`
	Host          string        `conf:"host" doc:"host that customers connect to; empty = as in url"`
	Port          int           `conf:"port" doc:"port that customers connect to; 0 = as in url"`
	TLSParameters string        `conf:"tls_parameters" doc:"sslmode and sslrootcert for customers; empty = as in url"`
	CAFile        string        `conf:"ca_file" doc:"certificates that customers verify the cell with; empty = tls.ca_file"`
	SampleEvery   time.Duration `conf:"sample_every" doc:"how often open sessions of logins are looked at"`
}

// Regions are the S3 regions.
type Regions struct {
	Primary Region `conf:"primary"`
	DR      Region `conf:"dr"`
}

// Region is one S3 region, with a key that may make buckets and users.
type Region struct {
	Endpoint       string      `conf:"endpoint" doc:"URL of S3"`
	PublicEndpoint string      `conf:"public_endpoint" doc:"URL of S3 for customers; empty = endpoint"`
	IAMEndpoint    string      `conf:"iam_endpoint" doc:"URL of the AWS IAM API"`
	AccessKey      string      `conf:"access_key" doc:"access key id"`
	SecretKey      conf.Secret `conf:"secret_key" doc:"secret access key"`
	SigningRegion  string      `conf:"signing_region" doc:"region name for signatures; empty = us-east-1"`
	CAFile         string      `conf:"ca_file" doc:"certificates that an https endpoint must be signed by; empty = the system's"`
}

// Slots says how many complete slots wait.
type Slots struct {
	LowWater       int           `conf:"low_water" doc:"ready slots that are kept"`
	Workers        int           `conf:"workers" doc:"slots that are built at once in the background"`
	Inline         int           `conf:"inline" doc:"orders that may build a slot for themselves at once"`
	Wait           time.Duration `conf:"wait" doc:"how long an order may wait for a slot"`
	ReconcileEvery time.Duration `conf:"reconcile_every" doc:"how often record and world are compared"`
}

// Swap says how a restored schema takes the live one's place.
type Swap struct {
	LockWait time.Duration `conf:"lock_wait" doc:"how long locks are waited for before the workspace's sessions are ended"`
	Deadline time.Duration `conf:"deadline" doc:"of a whole swap"`
}

// DefaultConfig is what holds where nothing else is said.
func DefaultConfig() Config {
	return Config{
		Config: service.DefaultConfig(),
		Cell:   Cell{ID: "cell1", Server: "server1", Max: 8, SampleEvery: 5 * time.Second},
		Slots:  Slots{LowWater: 20, Workers: 2, Inline: 4, Wait: 10 * time.Second, ReconcileEvery: 5 * time.Minute},
		Swap:   Swap{LockWait: 3 * time.Second, Deadline: 20 * time.Second},
	}
}

// Validate names the first field that cannot work, and what it takes.
func (c Config) Validate() error {
	if err := c.Config.Validate(); err != nil {
		return err
	}
	switch {
	case c.RootKeyFile == "":
		return errors.New("root_key_file is empty: give the file with this service's own root key")
	case c.Slots.LowWater < 0 || c.Slots.LowWater > 1000:
		return fmt.Errorf("slots.low_water is %d: give 0 to 1000", c.Slots.LowWater)
	case c.Slots.Workers < 1 || c.Slots.Inline < 1:
		return errors.New("slots.workers and slots.inline: give 1 or more")
	case c.Slots.Wait <= 0 || c.Slots.ReconcileEvery <= 0 || c.Cell.SampleEvery <= 0:
		return errors.New("slots.wait, slots.reconcile_every and cell.sample_every: give a duration above 0")
	case c.Swap.LockWait < time.Millisecond || c.Swap.Deadline <= c.Swap.LockWait:
		return errors.New("swap.lock_wait and swap.deadline: give 1ms or more, and a deadline above lock_wait")
	case c.Cell.Max < 4:
		return fmt.Errorf("cell.max is %d: give 4 or more", c.Cell.Max)
	}
	if c.AdminKeysSince != "" && c.AdminKeyFile == "" {
		return errors.New("admin_keys_since is given, and admin_key_file is not: say where the new key is to be written")
	}
	if _, err := time.Parse(time.RFC3339, c.AdminKeysSince); err != nil && c.AdminKeysSince != "" {
		return fmt.Errorf("admin_keys_since is %.40q: give a time such as 2026-11-22T18:40:00Z", c.AdminKeysSince)
	}
	if _, err := c.Cell.noun(); err != nil {
		return err
	}
	for name, region := range c.Regions.byName() {
		if err := region.validate(); err != nil {
			return fmt.Errorf("regions.%s.%w", name, err)
		}
	}
	return nil
}

// adminKeysSince is zero where nothing is said. Validate has looked at its form.
func (c Config) adminKeysSince() time.Time {
	since, _ := time.Parse(time.RFC3339, c.AdminKeysSince)
	return since
}

// noun is the cell as customers see it; what is not said is taken from the URL.
func (c Cell) noun() (cell.Cell, error) {
	u, err := url.Parse(c.URL.Reveal())
	if err != nil || u.Scheme != "postgres" && u.Scheme != "postgresql" || u.Hostname() == "" || len(u.Path) < 2 {
		return cell.Cell{}, errors.New("cell.url is malformed: give postgres://user:password@host:port/database")
	}
	if c.ID == "" || c.Server == "" {
		return cell.Cell{}, errors.New("cell.id and cell.server are empty: give lowercase names such as cell1 and server1")
	}
	inside := cell.Address{Host: u.Hostname(), Port: 5432, TLSParameters: tlsParameters(u.Query())}
	if u.Port() != "" {
		inside.Port, _ = strconv.Atoi(u.Port()) // url.Parse took digits only
	}
	return cell.Cell{
		ID: c.ID, Server: c.Server, Host: cmp.Or(c.Host, inside.Host), Port: cmp.Or(c.Port, inside.Port),
		Database: strings.TrimPrefix(u.Path, "/"), TLSParameters: cmp.Or(c.TLSParameters, inside.TLSParameters), Inside: inside,
	}, nil
}

func tlsParameters(all url.Values) string {
	some := url.Values{}
	for _, name := range []string{"sslmode", "sslrootcert"} {
		if all.Has(name) {
			some.Set(name, all.Get(name))
		}
	}
	return strings.ReplaceAll(some.Encode(), "+", "%20") // Postgres' clients take "+" for itself, not for a space
}

func (r Regions) byName() map[string]Region {
	return map[string]Region{"primary": r.Primary, "dr": r.DR}
}

func (r Region) validate() error {
	for name, value := range map[string]string{"endpoint": r.Endpoint, "iam_endpoint": r.IAMEndpoint} {
		if u, err := url.Parse(value); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			return fmt.Errorf("%s is malformed: give http://host:port or https://host:port", name)
		}
	}
	if r.AccessKey == "" || r.SecretKey == "" {
		return errors.New("access_key and secret_key are empty: give a key that may make buckets and users")
	}
	return nil
}

func (r Region) config(name string) bucketstore.Config {
	return bucketstore.Config{Name: name, IAMEndpoint: r.IAMEndpoint, S3: blob.Config{
		Endpoint: r.Endpoint, AccessKey: r.AccessKey, SecretKey: r.SecretKey, Region: r.SigningRegion, CAFile: r.CAFile,
	}}
}

// public is the endpoint for customers.
func (r Region) public() string {
	if r.PublicEndpoint != "" {
		return r.PublicEndpoint
	}
	return r.Endpoint
}
