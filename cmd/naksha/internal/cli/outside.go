package cli

import (
	"fmt"
	"net/url"

	"github.com/spf13/pflag"

	"github.com/naksha-cloud/naksha/cmd/naksha/internal/up"
	"github.com/naksha-cloud/naksha/pkg/conf"
)

// outside are the flags of `naksha up` that name pieces which run elsewhere.
type outside struct {
	file          string
	database      string
	cell          string
	nats          string
	s3, iam       map[string]string
	natsPasswords string
}

// addDatabase adds those that say where the platform database is.
func (o *outside) addDatabase(flags *pflag.FlagSet) {
	flags.StringVar(&o.file, "config", "", "YAML file with the pieces that run elsewhere")
	flags.StringVar(&o.database, "database-url", "", "postgres:// URL of a superuser of the platform database's server")
}

func (o *outside) addFlags(flags *pflag.FlagSet) {
	o.addDatabase(flags)
	flags.StringVar(&o.cell, "cell-url", "", "postgres:// URL of a superuser of the cell's server")
	flags.StringVar(&o.nats, "nats-url", "", "nats://host:port of a server with JetStream")
	flags.StringVar(&o.natsPasswords, "nats-passwords", "", "YAML file with the password of each NATS user; default: those of naksha nats-users")
	flags.StringToStringVar(&o.s3, "s3-endpoint", nil, "URL of S3 by region: primary=URL,dr=URL")
	flags.StringToStringVar(&o.iam, "s3-iam-endpoint", nil, "URL of the AWS IAM API by region; default: that of S3")
}

// read joins file, environment (NAKSHA_UP_…) and flags; the later one wins.
func (o *outside) read(getenv func(string) string) (up.External, error) {
	var e up.External
	err := conf.Load(&e, conf.Options{Prefix: "NAKSHA_UP", File: o.file, Lookup: func(name string) (string, bool) {
		value := getenv(name)
		return value, value != ""
	}})
	if err != nil {
		return e, err
	}
	for flag, f := range map[string]struct {
		given string
		to    *conf.Secret
	}{"database-url": {o.database, &e.DatabaseURL}, "cell-url": {o.cell, &e.CellURL}} {
		if f.given == "" {
			continue
		}
		if u, err := url.Parse(f.given); err == nil && u.User != nil && hasPassword(u.User) {
			return e, fmt.Errorf("the password in --%s would show in the list of processes: put it into ~/.pgpass, or the URL into --config or the environment", flag)
		}
		*f.to = conf.Secret(f.given)
	}
	for from, to := range map[*string]*string{&o.nats: &e.NATS.URL, &o.natsPasswords: &e.NATS.PasswordsFile} {
		if *from != "" {
			*to = *from
		}
	}
	return e, o.readRegions(&e.S3)
}

func hasPassword(u *url.Userinfo) bool {
	_, has := u.Password()
	return has
}

func (o *outside) readRegions(e *up.ExternalS3) error {
	regions := map[string]*up.ExternalRegion{"primary": &e.Primary, "dr": &e.DR}
	for name, endpoint := range o.s3 {
		if regions[name] == nil {
			return fmt.Errorf("--s3-endpoint %s=…: the regions are primary and dr", name)
		}
		regions[name].Endpoint = endpoint
	}
	for name, endpoint := range o.iam {
		if regions[name] == nil {
			return fmt.Errorf("--s3-iam-endpoint %s=…: the regions are primary and dr", name)
		}
		regions[name].IAMEndpoint = endpoint
	}
	return nil
}
