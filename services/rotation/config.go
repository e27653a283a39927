package rotation

import (
	"errors"
	"fmt"
	"time"

	"github.com/naksha-cloud/naksha/pkg/service"
)

// Config is what the rotation service is told, by file or by environment (NAKSHA_ROTATION_<FIELD>).
type Config struct {
	service.Config `conf:",squash"`

	RootKeyFile string        `conf:"root_key_file" doc:"file of mode 0600 with this service's own root key, under which passwords are sealed"`
	QuietWindow time.Duration `conf:"quiet_window" doc:"how long no session of an old generation may be seen before it is disabled, where a rotation does not say"`
	Deadline    time.Duration `conf:"deadline" doc:"how long to wait for acknowledgement and silence before a rotation is BLOCKED, where it does not say"`
	Lease       time.Duration `conf:"lease" doc:"how long a rotation stays with a replica that has died; a step at a target may take half of it"`
	Concurrency int           `conf:"concurrency" doc:"rotations that one replica works on at a time"`
}

// DefaultConfig is what holds where nothing else is said.
func DefaultConfig() Config {
	return Config{
		Config: service.DefaultConfig(), QuietWindow: 30 * time.Second, Deadline: 24 * time.Hour,
		Lease: 15 * time.Second, Concurrency: 4,
	}
}

// Validate names the first field that cannot work, and what it takes.
func (c Config) Validate() error {
	switch {
	case c.RootKeyFile == "":
		return errors.New("root_key_file is empty: give the file with this service's own root key")
	case c.QuietWindow < 0:
		return fmt.Errorf("quiet_window is %s: give 0s or more", c.QuietWindow)
	case c.Deadline < time.Second:
		return fmt.Errorf("deadline is %s: give 1s or more", c.Deadline)
	case c.Lease < time.Second:
		return fmt.Errorf("lease is %s: give 1s or more", c.Lease)
	case c.Concurrency < 1:
		return fmt.Errorf("concurrency is %d: give 1 or more", c.Concurrency)
	}
	return c.Config.Validate()
}
