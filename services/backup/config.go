package backup

import (
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/naksha-cloud/naksha/pkg/blob"
	"github.com/naksha-cloud/naksha/pkg/conf"
	"github.com/naksha-cloud/naksha/pkg/service"
	"github.com/naksha-cloud/naksha/services/backup/internal/region"
)

// Config is what the service is told.
type Config struct {
	service.Config `conf:",squash"`
	RootKeyFile    string        `conf:"root_key_file" doc:"file with this service's own root key, 32 bytes in base64, mode 0600"`
	Regions        Regions       `conf:"regions"`
	PgDump         string        `conf:"pg_dump" doc:"path of pg_dump, not older than the cells' servers; empty = the one in PATH"`
	Parallel       int           `conf:"parallel" doc:"snapshots, and restores, that run at once in this process"`
	Sessions       int           `conf:"sessions" doc:"connections to a cell that copy or load one workspace side by side"`
	Poll           time.Duration `conf:"poll" doc:"how often to look for work when nobody tells of it"`
	Lease          time.Duration `conf:"lease" doc:"after how long without a sign of life another process takes a job over"`
	Patience       time.Duration `conf:"patience" doc:"how long a job is tried while something that it needs is away"`
	LoadTime       time.Duration `conf:"load_time" doc:"how long a restore may load, besides a second for each 4 MiB of rows"`
	Retry          time.Duration `conf:"retry" doc:"until a region that was away is tried again; doubled each time, up to an hour"`
	KeepUndo       time.Duration `conf:"keep_undo" doc:"how long the data that a restore replaced is kept"`
}

// Regions are the places where copies lie.
type Regions struct {
	Primary Region `conf:"primary"`
	DR      Region `conf:"dr"`
}

// Region is one S3 region, with backup's own key.
type Region struct {
	Endpoint      string      `conf:"endpoint" doc:"URL of S3"`
	AccessKey     string      `conf:"access_key" doc:"access key id"`
	SecretKey     conf.Secret `conf:"secret_key" doc:"secret access key"`
	SigningRegion string      `conf:"signing_region" doc:"region name for signatures; empty = us-east-1"`
	CAFile        string      `conf:"ca_file" doc:"certificates that an https endpoint must be signed by; empty = the system's"`
	Bucket        string      `conf:"bucket" doc:"bucket of the platform's backups; made when missing"`
}

// DefaultConfig is what holds where nothing else is said.
func DefaultConfig() Config {
	return Config{
		Config:   service.DefaultConfig(),
		Regions:  Regions{Primary: Region{Bucket: "naksha-backups"}, DR: Region{Bucket: "naksha-backups-dr"}},
		Parallel: 2, Sessions: 3, Poll: 2 * time.Second, Lease: 15 * time.Second, Patience: 10 * time.Minute,
		LoadTime: 15 * time.Minute, Retry: time.Minute, KeepUndo: 7 * 24 * time.Hour,
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
	case c.Parallel < 1 || c.Parallel > 64:
		return fmt.Errorf("parallel is %d: give 1 to 64", c.Parallel)
	case c.Sessions < 1 || c.Sessions > 16:
		return fmt.Errorf("sessions is %d: give 1 to 16", c.Sessions)
	case c.Poll <= 0 || c.Patience <= 0 || c.LoadTime <= 0 || c.Retry <= 0 || c.KeepUndo <= 0:
		return errors.New("poll, patience, load_time, retry and keep_undo: give a duration above 0")
	case c.Lease < time.Second:
		return fmt.Errorf("lease is %s: give 1s or more", c.Lease)
	}
	for _, r := range []struct {
		name string
		Region
	}{{region.Primary, c.Regions.Primary}, {region.DR, c.Regions.DR}} {
		if err := r.validate(); err != nil {
			return fmt.Errorf("regions.%s.%w", r.name, err)
		}
	}
	return nil
}

func (r Region) validate() error {
	u, err := url.Parse(r.Endpoint)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		return errors.New("endpoint is malformed: give http://host:port or https://host:port")
	case r.AccessKey == "" || r.SecretKey == "":
		return errors.New("access_key and secret_key are empty: give backup's own key")
	case r.Bucket == "":
		return errors.New("bucket is empty: give a bucket's name")
	}
	return nil
}

// open makes the regions, primary first; they connect at first use.
func (r Regions) open() (region.Set, error) {
	var set region.Set
	for _, one := range []struct {
		name string
		Region
	}{{region.Primary, r.Primary}, {region.DR, r.DR}} {
		store, err := blob.Open(blob.Config{
			Endpoint: one.Endpoint, AccessKey: one.AccessKey, SecretKey: one.SecretKey, Region: one.SigningRegion, CAFile: one.CAFile,
		})
		if err != nil {
			return nil, fmt.Errorf("region %s: %w", one.name, err)
		}
		set = append(set, region.New(one.name, one.Bucket, store))
	}
	return set, nil
}
