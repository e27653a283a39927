package alerting

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"
)

// httpServer serves the HTTP API on a listener of its own: a page needs neither the gateway nor TLS between services.
type httpServer struct {
	listen  string
	log     *slog.Logger
	handler http.Handler

	mu     sync.Mutex
	server *http.Server
	done   chan struct{}
	addr   string
}

func newHTTPServer(listen string, log *slog.Logger, handler http.Handler) *httpServer {
	return &httpServer{listen: listen, log: log, handler: handler}
}

// Addr is where a started server listens.
func (h *httpServer) Addr() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.addr
}

// Start listens and serves; without an address it does nothing.
func (h *httpServer) Start(ctx context.Context) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.server != nil || h.listen == "" {
		return nil
	}
	var lc net.ListenConfig
	listener, err := lc.Listen(ctx, "tcp", h.listen)
	if err != nil {
		return fmt.Errorf("listen at http_listen %s: %w", h.listen, err)
	}
	server := &http.Server{
		Handler: h.handler, ErrorLog: slog.NewLogLogger(h.log.Handler(), slog.LevelDebug),
		ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 30 * time.Second, WriteTimeout: time.Minute,
		IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10,
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			h.log.Error("http api ended", "error", err)
		}
	}()
	h.server, h.done, h.addr = server, done, listener.Addr().String()
	return nil
}

// grace is how long running requests may take when the server stops.
const grace = 5 * time.Second

// Stop ends the server; requests that run longer are cut, and their senders send again. A second Stop does nothing.
func (h *httpServer) Stop(ctx context.Context) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.server == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, grace)
	defer cancel()
	if err := h.server.Shutdown(ctx); err != nil {
		_ = h.server.Close()
	}
	<-h.done
	h.server, h.addr = nil, ""
	return nil
}
