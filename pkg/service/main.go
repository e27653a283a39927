package service

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"text/tabwriter"

	"github.com/naksha-cloud/naksha/pkg/conf"
	"github.com/naksha-cloud/naksha/pkg/obs"
	"github.com/naksha-cloud/naksha/pkg/run"
)

// Runner is what a service's root package offers to its main.
type Runner interface {
	run.Component
	// Ready says why the service cannot do its work right now, or nil.
	Ready(ctx context.Context) error
}

// Program is a service as a process of its own.
type Program[C any] struct {
	Name    string // e.g. "tenant"; its environment is NAKSHA_TENANT_…
	Version string
	Config  C // the defaults
	New     func(c C, d Deps) (Runner, error)
}

// process is what a program is told beside its service's Config.
type process[C any] struct {
	Service     C          `conf:",squash"`
	AdminListen string     `conf:"admin_listen" doc:"host:port of /metrics, /livez, /readyz and /debug/pprof; empty = none"`
	LogLevel    slog.Level `conf:"log_level" doc:"debug, info, warn or error; empty = info"`
	OTLP        string     `conf:"otlp_endpoint" doc:"URL of an OTLP/HTTP collector of traces; empty = no export"`
}

// Settings lists what the Program of this name reads, c being its defaults.
func Settings[C any](name string, c C) ([]conf.Row, error) {
	return conf.Table(process[C]{Service: c}, prefix(name))
}

func prefix(name string) string { return "NAKSHA_" + strings.ToUpper(name) }

// Order is the configuration of a Program in the form that --config reads, secrets in the clear: for whoever starts it as
// a process of its own, and hands it over through a pipe.
func Order[C any](c C, adminListen string, level slog.Level) ([]byte, error) {
	return conf.Write(process[C]{Service: c, AdminListen: adminListen, LogLevel: level})
}

// Main runs the program until SIGINT or SIGTERM and returns the exit code: 0 after an orderly stop, 2 for a wrong
// command line or configuration, 1 for anything else.
func (p Program[C]) Main(args []string, environ []string, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := p.run(ctx, args, environ, stderr)
	var usage configError
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
		return 0
	case errors.As(err, &usage):
		fmt.Fprintf(stderr, "naksha-%s: %v\n", p.Name, err)
		return 2
	default:
		fmt.Fprintf(stderr, "naksha-%s: %v\n", p.Name, err)
		return 1
	}
}

// configError is a command line or configuration that cannot work.
type configError struct{ error }

func (p Program[C]) run(ctx context.Context, args, environ []string, stderr io.Writer) error {
	told := process[C]{Service: p.Config}
	leashed, err := p.load(&told, args, environ, stderr)
	if err != nil {
		return err
	}
	if leashed {
		var cancel context.CancelFunc
		ctx, cancel = leash(ctx, os.Stdin)
		defer cancel()
	}
	telemetry, err := obs.New(obs.Config{
		Service: p.Name, Version: p.Version, Level: told.LogLevel, Format: "json", OTLPEndpoint: told.OTLP, Runtime: true,
	}, stderr)
	if err != nil {
		return err
	}
	defer func() {
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
		defer cancel()
		_ = telemetry.Shutdown(last) // a collector that is away costs spans, never the stop
	}()
	service, err := p.New(told.Service, Deps{Telemetry: telemetry})
	if err != nil {
		return configError{err}
	}
	parts := []run.Component{run.Named(p.Name, service)}
	if told.AdminListen != "" {
		admin := obs.NewAdmin(obs.AdminConfig{Addr: told.AdminListen, Log: telemetry.Log},
			obs.Source{Telemetry: telemetry, Checks: []obs.Check{{Name: p.Name, Ready: service.Ready}}})
		parts = append([]run.Component{run.Named("admin", admin)}, parts...)
	}
	return run.Main(ctx, telemetry.Log, parts...)
}

// leash returns a context that ends when in does: whoever started this process holds the other end, until it dies.
func leash(ctx context.Context, in io.Reader) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		_, _ = io.Copy(io.Discard, in)
		cancel()
	}()
	return ctx, cancel
}

func (p Program[C]) load(told *process[C], args, environ []string, stderr io.Writer) (leashed bool, err error) {
	flags := flag.NewFlagSet("naksha-"+p.Name, flag.ContinueOnError)
	flags.SetOutput(stderr)
	file := flags.String("config", "", "YAML file with the configuration")
	flags.BoolVar(&leashed, "leash", false, "stop when standard input closes: with the process that started this one")
	flags.Usage = func() {
		fmt.Fprintf(stderr, "naksha-%s runs the %s service.\n\n", p.Name, p.Name)
		flags.PrintDefaults()
		fmt.Fprintf(stderr, "\nConfiguration: defaults, then --config, then the environment:\n\n")
		p.settings(stderr)
	}
	if err = flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return false, err
		}
		return false, configError{err}
	}
	if flags.NArg() > 0 {
		return false, configError{fmt.Errorf("unexpected argument %q: see --help", flags.Arg(0))}
	}
	if err = conf.Load(told, conf.Options{Prefix: prefix(p.Name), File: *file, Environ: environ}); err != nil {
		return false, configError{err}
	}
	return leashed, nil
}

func (p Program[C]) settings(to io.Writer) {
	rows, _ := Settings(p.Name, p.Config)
	columns := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	for _, row := range rows {
		text := row.Doc
		if row.Default != "" {
			text += " (default " + row.Default + ")"
		}
		fmt.Fprintf(columns, "  %s\t%s\n", row.Env, text)
	}
	_ = columns.Flush()
}
