package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
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
	c := &cobra.Command{
		Use: "up", Short: "Start the whole platform on this machine, until Ctrl-C",
		Long: `Starts private Postgres servers, NATS, two S3 regions and the five services in this process, with all state in one
directory. The first start makes it; the next ones find everything again.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if config.Dir, err = a.stateDir(); err != nil {
				return err
			}
			return a.up(cmd.Context(), config, logFile)
		},
	}
	flags := c.Flags()
	flags.StringVar(&config.Host, "host", "127.0.0.1", "address that everything listens on")
	flags.StringVar(&config.Alerting, "alerting-config", "", "YAML file with targets and policies of the alerting service")
	flags.TextVar(&config.LogLevel, "log-level", slog.LevelInfo, "debug, info, warn or error")
	flags.StringVar(&logFile, "log", "", "file for log lines; - for stderr; default: naksha.log in the state directory")
	flags.IntVar(&config.Slots, "slots", 0, "complete workspaces kept ready; 0 = the tenant service's default")
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
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
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
		{"first admin key", e.AdminKeyFile},
	} {
		fmt.Fprintf(a.Out, "%-26s%s\n", line[0], line[1])
	}
	fmt.Fprintf(a.Err, "\nNext, in another terminal:  naksha workspace create shop\n")
}
