package obs

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Check is one condition of readiness.
type Check struct {
	Name  string // e.g. "postgres"
	Ready func(ctx context.Context) error
}

// Source is one service that an Admin server shows.
type Source struct {
	Telemetry *Telemetry
	Checks    []Check
	Remote    Remote // the process that it runs as; empty = this one
}

// AdminConfig says where an Admin server listens.
type AdminConfig struct {
	Addr     string       // host:port; port 0 picks a free one
	Listener net.Listener // instead of Addr
	Log      *slog.Logger // may be nil
}

// Admin is the HTTP server for operators: /metrics, /livez, /readyz, /loglevel and /debug/pprof. It is for the
// loopback or a private network: it authenticates nobody, and answers no web pages.
type Admin struct {
	cfg     AdminConfig
	sources []Source
	server  *http.Server
	done    chan struct{} // closed when the server's goroutine has ended
	addr    string
	mu      sync.Mutex
}

// NewAdmin returns an Admin that shows sources.
func NewAdmin(cfg AdminConfig, sources ...Source) *Admin { return &Admin{cfg: cfg, sources: sources} }

// Handler serves the pages, for a server of one's own.
func (a *Admin) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", a.metrics())
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprintln(w, "ok") })
	mux.HandleFunc("GET /readyz", a.readyz)
	mux.HandleFunc("GET /loglevel", a.showLevels)
	mux.HandleFunc("PUT /loglevel", a.setLevel)
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	return ForPrograms(a.cfg.Addr, mux)
}

// metrics merges the registries; a service whose metrics clash is left out, and the others are still served.
func (a *Admin) metrics() http.Handler {
	var all prometheus.Gatherers
	for _, s := range a.sources {
		if s.Remote != "" {
			all = append(all, s.Remote)
		} else {
			all = append(all, s.Telemetry.Registry)
		}
	}
	return promhttp.HandlerFor(all, promhttp.HandlerOpts{ErrorHandling: promhttp.ContinueOnError})
}

// Start listens and serves.
func (a *Admin) Start(ctx context.Context) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.server != nil {
		return nil
	}
	lis, err := a.listen(ctx)
	if err != nil {
		return fmt.Errorf("listen for admin requests: %w", err)
	}
	server, done := &http.Server{Handler: a.Handler(), ReadHeaderTimeout: 5 * time.Second}, make(chan struct{})
	if a.cfg.Log != nil {
		server.ErrorLog = slog.NewLogLogger(a.cfg.Log.Handler(), slog.LevelDebug)
	}
	go func() {
		defer close(done)
		_ = server.Serve(lis) // ends with ErrServerClosed at Stop; a broken listener shows as a dead /livez
	}()
	a.server, a.done, a.addr = server, done, lis.Addr().String()
	return nil
}

func (a *Admin) listen(ctx context.Context) (net.Listener, error) {
	if a.cfg.Listener != nil {
		return a.cfg.Listener, nil
	}
	var lc net.ListenConfig
	return lc.Listen(ctx, "tcp", a.cfg.Addr)
}

// Addr is where a started Admin listens.
func (a *Admin) Addr() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.addr
}

// Stop ends the server; requests that are still running when ctx ends are cut.
func (a *Admin) Stop(ctx context.Context) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.server == nil {
		return nil
	}
	err := a.server.Shutdown(ctx)
	if err != nil {
		err = errors.Join(err, a.server.Close())
	}
	<-a.done
	a.server = nil
	return err
}
