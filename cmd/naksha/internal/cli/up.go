package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/naksha-cloud/naksha/cmd/naksha/internal/up"
)

func (a *App) upCommand() *cobra.Command {
	config := up.Config{Version: a.Version, Ports: up.DefaultPorts()}
	var logFile string
	var newAdminKey bool
	var outside outside
	c := &cobra.Command{
		Use: "up", Short: "Start the whole platform on this machine, until Ctrl-C",
		Long: `Starts private Postgres servers, NATS, two S3 regions and the five services in this process, with all state in one
directory. The first start makes it; the next ones find everything again. With --processes each service runs as a process
of its own, and is started again when it dies; the state directory is the same.

A Postgres, NATS or S3 that runs elsewhere takes the place of the private one. Its URL is given by flag, its secrets by
--config or by the environment, since a command line is seen by every user of the machine:

  database_url: postgres://postgres@db.example.com/postgres     # or NAKSHA_UP_DATABASE_URL, or database_url_file
  cell_url_file: /etc/naksha/cell-url
  nats: {url: "nats://n1:4222,nats://n2:4222", passwords_file: /etc/naksha/nats.yaml, replicas: 3}
  s3: {primary: {endpoint: "https://s3.example.com", access_key: AK, secret_key_file: /etc/naksha/s3}}`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if config.Dir, err = a.stateDir(); err != nil {
				return err
			}
			if config.External, err = outside.read(a.Getenv); err != nil {
				return usageError{err}
			}
			if newAdminKey {
				config.AdminKeysSince = time.Now()
			}
			return a.up(cmd.Context(), config, logFile)
		},
	}
	flags := c.Flags()
	flags.StringVar(&config.Listen, "listen", "127.0.0.1", "IP address for customers (gateway, Postgres, S3); beyond the loopback with --tls-cert")
	flags.StringVar(&config.TLS.CertFile, "tls-cert", "", "certificate that customers see, PEM; read again when it changes")
	flags.StringVar(&config.TLS.KeyFile, "tls-key", "", "its private key, PEM")
	flags.StringVar(&config.TLS.CAFile, "tls-ca", "", "certificates that customers check it against; default: the system's authorities")
	flags.StringVar(&config.PublicHost, "public-host", "", "name that customers connect to; default: the certificate's first")
	flags.StringVar(&config.Alerting, "alerting-config", "", "YAML file with targets and policies of the alerting service")
	flags.TextVar(&config.LogLevel, "log-level", slog.LevelInfo, "debug, info, warn or error")
	flags.StringVar(&logFile, "log", "", "file for log lines; - for stderr; default: naksha.log in the state directory")
	flags.IntVar(&config.StreamMB, "stream-mb", 0, "MiB that each service's facts may take in NATS; 0 = 512. What was given before stays")
	flags.IntVar(&config.Slots, "slots", 0, "complete workspaces kept ready; 0 = the tenant service's default")
	flags.BoolVar(&config.Processes, "processes", false, "run each service as a process of its own")
	flags.StringVar(&config.Binaries, "binaries", "", "folder of naksha-<service> for --processes; default: beside this program")
	flags.BoolVar(&newAdminKey, "new-admin-key", false, "write a new admin key to the state directory and revoke every earlier one")
	outside.addFlags(flags)
	for _, port := range []struct {
		name  string
		value *int
	}{
		{"gateway", &config.Ports.Gateway},
		{"nats", &config.Ports.NATS},
		{"platform", &config.Ports.Platform},
		{"cell", &config.Ports.Cell},
		{"s3-primary", &config.Ports.Primary},
		{"s3-primary-iam", &config.Ports.PrimaryIAM},
		{"s3-dr", &config.Ports.DR},
		{"s3-dr-iam", &config.Ports.DRIAM},
		{"alerting", &config.Ports.Alerting},
		{"admin", &config.Ports.Admin},
	} {
		flags.IntVar(port.value, port.name+"-port", *port.value, "port; 0 picks a free one")
	}
	return c
}

func (a *App) up(ctx context.Context, config up.Config, logFile string) error {
	log, err := a.openLog(config.Dir, logFile)
	if err != nil {
		return err
	}
	defer log.Close()
	config.Log, config.Progress = log, a.progress
	platform, err := up.New(config)
	if err != nil {
		return err
	}
	begin := time.Now()
	if err := platform.Start(ctx); err != nil {
		if ctx.Err() != nil {
			return errors.New("interrupted while starting; everything that had started was stopped")
		}
		return err
	}
	a.welcome(platform.Endpoints(), time.Since(begin))
	<-ctx.Done()
	fmt.Fprintln(a.Err, "stopping …")
	stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	defer cancel()
	if err := platform.Stop(stopping); err != nil {
		return fmt.Errorf("stop: %w", err)
	}
	fmt.Fprintln(a.Err, "stopped; all data is in", config.Dir)
	return nil
}

// existing is the path of an admin key, or says how to get another one.
func existing(keyFile string) string {
	if _, err := os.Stat(keyFile); errors.Is(err, fs.ErrNotExist) {
		return keyFile + " is gone: make a new one with `naksha up --new-admin-key`"
	}
	return keyFile
}

// openLog opens where log lines go. The state directory may not exist yet, and is checked later.
func (a *App) openLog(dir, file string) (io.WriteCloser, error) {
	if file == "-" {
		return nopCloser{a.Err}, nil
	}
	if file == "" {
		if err := os.MkdirAll(dir, 0o711); err != nil {
			return nil, fmt.Errorf("state directory %s: %w: choose another with --dir", dir, err)
		}
		file = filepath.Join(dir, up.LogFile)
	}
	f, err := openLogFile(file, logLimit)
	if err != nil {
		return nil, fmt.Errorf("log file: %w: choose another with --log", err)
	}
	return f, nil
}

type nopCloser struct{ io.Writer }

func (nopCloser) Close() error { return nil }

// progress shows each step of a start as it ends.
func (a *App) progress(s up.Step) {
	switch {
	case s.Err != nil:
		fmt.Fprintf(a.Err, "  ✗ %s\n", s.Name)
	case s.Took > 0:
		fmt.Fprintf(a.Err, "  ✓ %-10s %6.2f s\n", s.Name, s.Took.Seconds())
	}
}

func (a *App) welcome(e up.Endpoints, took time.Duration) {
	fmt.Fprintf(a.Err, "Naksha Cloud is ready after %.1f s. Ctrl-C stops it; nothing is lost.\n\n", took.Seconds())
	for _, line := range [][2]string{
		{"gateway (gRPC and REST)", e.Gateway},
		{"workspaces' Postgres", e.Cell},
		{"S3, region primary", e.S3Primary},
		{"S3, region dr", e.S3DR},
		{"alerts from Prometheus", e.Alerting + "/api/v2/alerts"},
		{"events (NATS)", e.NATS},
		{"metrics and health", e.Admin},
		{"CA certificate", e.CAFile},
		{"admin key", existing(e.AdminKeyFile)},
	} {
		fmt.Fprintf(a.Out, "%-26s%s\n", line[0], line[1])
	}
	fmt.Fprintf(a.Err, "\nNext, in another terminal:  naksha workspace create shop%s\n", a.dirFlag())
}

// dirFlag is --dir as another terminal needs it, whose folder and environment are others; empty for the default.
func (a *App) dirFlag() string {
	if fallback, err := up.DefaultDir(); a.dir == "" || err == nil && a.dir == fallback {
		return ""
	}
	dir, err := filepath.Abs(a.dir)
	if err != nil {
		dir = a.dir
	}
	return " --dir " + up.Quoted(dir)
}
