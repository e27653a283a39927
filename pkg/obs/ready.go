package obs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"
)

// checkWait bounds one readiness check.
const checkWait = 2 * time.Second

// result is one line of /readyz.
type result struct {
	Service string `json:"service"`
	Check   string `json:"check"`
	OK      bool   `json:"ok"`
	Error   string `json:"error,omitempty"`
}

// readyz answers 200 when every check passes, else 503. `?verbose` lists all checks; otherwise only failing ones.
func (a *Admin) readyz(w http.ResponseWriter, r *http.Request) {
	results := a.check(r.Context())
	ready := true
	for _, c := range results {
		ready = ready && c.OK
	}
	code := http.StatusOK
	if !ready {
		code = http.StatusServiceUnavailable
	}
	if strings.Contains(r.Header.Get("Accept"), "application/json") {
		writeJSON(w, code, map[string]any{"ready": ready, "checks": results})
		return
	}
	w.WriteHeader(code)
	_, _ = io.WriteString(w, readyText(results, ready, r.URL.Query().Has("verbose")))
}

// readyText is in the form that Kubernetes' own /readyz uses.
func readyText(results []result, ready, verbose bool) string {
	var b strings.Builder
	for _, c := range results {
		switch {
		case !c.OK:
			fmt.Fprintf(&b, "[-]%s/%s failed: %s\n", c.Service, c.Check, c.Error)
		case verbose:
			fmt.Fprintf(&b, "[+]%s/%s ok\n", c.Service, c.Check)
		}
	}
	if ready {
		b.WriteString("ok\n")
	} else {
		b.WriteString("not ready\n")
	}
	return b.String()
}

// check runs all checks side by side, in a stable order.
func (a *Admin) check(ctx context.Context) []result {
	var results []result
	var checks []Check
	for _, s := range a.sources {
		for _, c := range s.Checks {
			results = append(results, result{Service: s.Telemetry.Service(), Check: c.Name})
			checks = append(checks, c)
		}
	}
	ctx, cancel := context.WithTimeout(ctx, checkWait)
	defer cancel()
	var wg sync.WaitGroup
	for i, c := range checks {
		wg.Go(func() {
			err := c.Ready(ctx)
			results[i].OK = err == nil
			if err != nil {
				results[i].Error = redactURLs(err.Error())
			}
		})
	}
	wg.Wait()
	return results
}

// showLevels lists the log level of each service.
func (a *Admin) showLevels(w http.ResponseWriter, _ *http.Request) {
	levels := map[string]string{}
	for _, s := range a.sources {
		levels[s.Telemetry.Service()] = s.Telemetry.Level.Level().String()
	}
	writeJSON(w, http.StatusOK, levels)
}

// setLevel reads a level (debug, info, warn, error) from the body and sets it, for ?service= or for all.
func (a *Admin) setLevel(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 64))
	var level slog.Level
	if err == nil {
		err = level.UnmarshalText([]byte(strings.Trim(strings.TrimSpace(string(body)), `"`)))
	}
	if err != nil {
		http.Error(w, "unknown level: send debug, info, warn or error", http.StatusBadRequest)
		return
	}
	found, err := a.applyLevel(r.Context(), r.URL.Query().Get("service"), level)
	switch {
	case err != nil:
		http.Error(w, redactURLs(err.Error()), http.StatusBadGateway)
		return
	case !found:
		http.Error(w, "unknown service", http.StatusNotFound)
		return
	}
	a.showLevels(w, r)
}

func (a *Admin) applyLevel(ctx context.Context, service string, level slog.Level) (found bool, err error) {
	for _, s := range a.sources {
		if service != "" && service != s.Telemetry.Service() {
			continue
		}
		found = true
		s.Telemetry.Level.Set(level)
		if s.Remote == "" {
			continue
		}
		if wrong := s.Remote.SetLevel(ctx, level); wrong != nil {
			err = errors.Join(err, fmt.Errorf("service %s: %w", s.Telemetry.Service(), wrong))
		}
	}
	return found, err
}

func writeJSON(w http.ResponseWriter, code int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(v) // the client is gone: nothing to do
}
