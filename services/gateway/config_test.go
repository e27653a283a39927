package gateway_test

import (
	"strings"
	"testing"
	"time"

	"github.com/naksha-cloud/naksha/pkg/rpc"
	"github.com/naksha-cloud/naksha/services/gateway"
)

func TestConfigurationsThatCannotWorkAreNamed(t *testing.T) {
	t.Parallel()
	whole := gateway.DefaultConfig()
	whole.DatabaseURL, whole.TLS = "postgres://x", rpc.Files{CertFile: "a", KeyFile: "b", CAFile: "c"}
	if err := whole.Validate(); err != nil {
		t.Fatal(err)
	}
	for field, breaks := range map[string]func(*gateway.Config){
		"database_url":           func(c *gateway.Config) { c.DatabaseURL = "" },
		"door_listen":            func(c *gateway.Config) { c.DoorListen = "" },
		"door_tls":               func(c *gateway.Config) { c.DoorTLS.CertFile = "a" },
		"max_request_bytes":      func(c *gateway.Config) { c.MaxRequestBytes = 0 },
		"max_connections":        func(c *gateway.Config) { c.MaxConnections = 0 },
		"max_connections_of_one": func(c *gateway.Config) { c.MaxConnectionsOfOne = -1 },
		"call_timeout":           func(c *gateway.Config) { c.CallTimeout = 0 },
		"body_timeout":           func(c *gateway.Config) { c.BodyTimeout = -1 },
		"key_cache_ttl":          func(c *gateway.Config) { c.KeyCacheTTL = time.Hour },
		"key_cache_size":         func(c *gateway.Config) { c.KeyCacheSize = -1 },
		"spike_window":           func(c *gateway.Config) { c.SpikeWindow = 0 },
		"spike_share":            func(c *gateway.Config) { c.SpikeShare = 2 },
	} {
		c := whole
		breaks(&c)
		if err := c.Validate(); err == nil || !strings.Contains(err.Error(), field) {
			t.Errorf("%s: %v", field, err)
		}
		if _, err := gateway.New(c, gateway.Deps{}); err == nil {
			t.Errorf("a gateway is made with a wrong %s", field)
		}
	}
}
