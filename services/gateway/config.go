package gateway

import (
	"errors"
	"fmt"
	"time"

	"github.com/naksha-cloud/naksha/pkg/rpc"
	"github.com/naksha-cloud/naksha/pkg/service"
	"github.com/naksha-cloud/naksha/services/gateway/internal/spike"
)

// Config is what the gateway is told. `listen` is the internal server, by mutual TLS; the door is `door_listen`.
type Config struct {
	service.Config `conf:",squash"`

	DoorListen          string        `conf:"door_listen" doc:"host:port of the public server, gRPC and REST"`
	DoorTLS             Certificate   `conf:"door_tls" doc:"certificate and key of the public server; empty = those of tls"`
	MaxRequestBytes     int           `conf:"max_request_bytes" doc:"largest request message or body, bytes"`
	MaxConnections      int           `conf:"max_connections" doc:"public connections open at a time; more wait"`
	MaxConnectionsOfOne int           `conf:"max_connections_of_one" doc:"those of one IPv4 address or IPv6 /64; more are refused. 0 = no bound, for a door behind a proxy"`
	CallTimeout         time.Duration `conf:"call_timeout" doc:"of a call that brings no shorter deadline"`
	BodyTimeout         time.Duration `conf:"body_timeout" doc:"in which a request's body must have arrived"`
	StopTimeout         time.Duration `conf:"stop_timeout" doc:"that running calls may still take at a stop"`
	KeyCacheTTL         time.Duration `conf:"key_cache_ttl" doc:"how long a key that was accepted is not asked about again; at most 60s"`
	KeyCacheSize        int           `conf:"key_cache_size" doc:"keys remembered at a time"`
	SpikeWindow         time.Duration `conf:"spike_window" doc:"window in which refused keys are counted; at most 10m"`
	SpikePerSecond      float64       `conf:"spike_per_second" doc:"refused keys per second that are usual at most"`
	SpikeShare          float64       `conf:"spike_share" doc:"part of all attempts that is refused usually at most, 0 to 1"`
	SpikeQuiet          time.Duration `conf:"spike_quiet" doc:"at least between two announcements of a spike"`
}

// Certificate is what the door shows to clients.
type Certificate struct {
	CertFile string `conf:"cert_file" doc:"certificate of the public server in PEM form; empty = that of tls"`
	KeyFile  string `conf:"key_file" doc:"its private key in PEM form, mode 0600"`
}

// DefaultConfig is what holds where nothing else is said.
func DefaultConfig() Config {
	rule := spike.Default()
	return Config{
		Config:          service.DefaultConfig(),
		DoorListen:      "127.0.0.1:7800",
		MaxRequestBytes: 4 << 20,
		MaxConnections:  10_000,
		CallTimeout:     30 * time.Second,
		BodyTimeout:     30 * time.Second,
		StopTimeout:     10 * time.Second,
		KeyCacheTTL:     time.Minute,
		KeyCacheSize:    100_000,
		SpikeWindow:     rule.Window,
		SpikePerSecond:  rule.PerSecond,
		SpikeShare:      rule.Share,
		SpikeQuiet:      rule.Quiet,
	}
}

// Validate names the first field that cannot work, and what it takes.
func (c Config) Validate() error {
	if err := c.Config.Validate(); err != nil {
		return err
	}
	switch {
	case c.DoorListen == "":
		return errors.New("door_listen is empty: give host:port")
	case (c.DoorTLS.CertFile == "") != (c.DoorTLS.KeyFile == ""):
		return errors.New("door_tls is incomplete: give cert_file and key_file, or neither")
	case c.MaxRequestBytes < 1024 || c.MaxRequestBytes > 64<<20:
		return fmt.Errorf("max_request_bytes is %d: give 1024 to 67108864", c.MaxRequestBytes)
	case c.MaxConnections < 1:
		return fmt.Errorf("max_connections is %d: give 1 or more", c.MaxConnections)
	case c.MaxConnectionsOfOne < 0:
		return fmt.Errorf("max_connections_of_one is %d: give 1 or more, or 0 for no bound", c.MaxConnectionsOfOne)
	case c.CallTimeout <= 0 || c.BodyTimeout <= 0 || c.StopTimeout <= 0:
		return errors.New("call_timeout, body_timeout and stop_timeout must be longer than 0")
	case c.KeyCacheTTL < 0 || c.KeyCacheTTL > time.Minute:
		return fmt.Errorf("key_cache_ttl is %s: give 0 to 1m", c.KeyCacheTTL)
	case c.KeyCacheSize < 0:
		return fmt.Errorf("key_cache_size is %d: give 0 or more", c.KeyCacheSize)
	}
	return c.validateSpike()
}

func (c Config) validateSpike() error {
	switch {
	case c.SpikeWindow < time.Second || c.SpikeWindow > 10*time.Minute:
		return fmt.Errorf("spike_window is %s: give 1s to 10m", c.SpikeWindow)
	case c.SpikePerSecond < 0 || c.SpikeShare < 0 || c.SpikeShare > 1 || c.SpikeQuiet < 0:
		return errors.New("spike_per_second and spike_quiet must not be negative, spike_share must be 0 to 1")
	}
	return nil
}

func (c Config) spikeRule() spike.Rule {
	return spike.Rule{Window: c.SpikeWindow, PerSecond: c.SpikePerSecond, Share: c.SpikeShare, Quiet: c.SpikeQuiet}
}

// doorFiles are the certificate and key that the door shows.
func (c Config) doorFiles() rpc.Files {
	files := c.TLS
	if c.DoorTLS.CertFile != "" {
		files.CertFile, files.KeyFile = c.DoorTLS.CertFile, c.DoorTLS.KeyFile
	}
	return files
}
