// Package v2 serves Alertmanager's HTTP API, version 2, so that Prometheus, amtool and dashboards can point at us: alerts
// and silences, as plain JSON. It needs neither the bus nor the gateway. It answers bad input with 4xx and a sentence,
// and never says 200 before the alerts are durable.
package v2

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"strings"
	"time"

	"google.golang.org/grpc/codes"

	"github.com/naksha-cloud/naksha/pkg/fault"
	"github.com/naksha-cloud/naksha/pkg/obs"
	"github.com/naksha-cloud/naksha/services/alerting/internal/alert"
	"github.com/naksha-cloud/naksha/services/alerting/internal/ingest"
	"github.com/naksha-cloud/naksha/services/alerting/internal/silence"
)

// Intake takes a batch of alerts; what it accepted is durable.
type Intake interface {
	Receive(ctx context.Context, posts []alert.Post) (ingest.Result, error)
}

// Store reads alerts and silences.
type Store interface {
	// Firing are all alerts that fire now, oldest first.
	Firing(ctx context.Context) ([]alert.Alert, error)
	// Silences lists those that end after a moment, newest first.
	Silences(ctx context.Context, after time.Time, limit int) ([]silence.Silence, error)
	// Silence reads one; SILENCE_NOT_FOUND.
	Silence(ctx context.Context, id string) (silence.Silence, error)
	// Now is the service's time.
	Now() time.Time
}

// Mute makes and ends silences.
type Mute interface {
	// Create makes one; SILENCE_INVALID.
	Create(ctx context.Context, s silence.Silence) (silence.Silence, error)
	// Replace changes one as Alertmanager does; SILENCE_NOT_FOUND, SILENCE_INVALID.
	Replace(ctx context.Context, s silence.Silence) (silence.Silence, error)
	// End ends one now; SILENCE_NOT_FOUND.
	End(ctx context.Context, id string) error
}

// Deps are what the API calls.
type Deps struct {
	Intake  Intake
	Store   Store
	Mute    Mute
	GroupBy []string                        // labels that make a group
	Ready   func(ctx context.Context) error // why alerts cannot be taken right now, or nil
	Token   string                          // bearer token that callers must show; empty = none
	Listen  string                          // host:port that serves it
	MaxBody int64                           // bytes of a request
	Log     *slog.Logger
}

// api is the handlers' common part.
type api struct {
	Deps
	started time.Time
}

// Handler serves the API.
func Handler(d Deps) http.Handler {
	a := &api{Deps: d, started: d.Store.Now()}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /-/healthy", func(w http.ResponseWriter, _ *http.Request) { text(w, http.StatusOK, "OK") })
	mux.HandleFunc("GET /-/ready", a.ready)
	mux.HandleFunc("POST /api/v2/alerts", a.guard(a.postAlerts))
	mux.HandleFunc("GET /api/v2/alerts", a.guard(a.getAlerts))
	mux.HandleFunc("GET /api/v2/alerts/groups", a.guard(a.getGroups))
	mux.HandleFunc("GET /api/v2/silences", a.guard(a.getSilences))
	mux.HandleFunc("POST /api/v2/silences", a.guard(a.postSilence))
	mux.HandleFunc("GET /api/v2/silence/{id}", a.guard(a.getSilence))
	mux.HandleFunc("DELETE /api/v2/silence/{id}", a.guard(a.deleteSilence))
	mux.HandleFunc("GET /api/v2/status", a.guard(a.getStatus))
	mux.HandleFunc("GET /api/v2/receivers", a.guard(a.getReceivers))
	return obs.ForPrograms(d.Listen, mux)
}

func (a *api) ready(w http.ResponseWriter, r *http.Request) {
	if err := a.Ready(r.Context()); err != nil {
		text(w, http.StatusServiceUnavailable, "not ready")
		return
	}
	text(w, http.StatusOK, "OK")
}

// patience bounds one request.
const patience = 30 * time.Second

// handler answers with a status and a value for JSON (nil = an empty body), or an error.
type handler func(r *http.Request) (any, error)

// guard asks for the token, bounds the body, and turns errors into answers. It logs what is our own fault, once.
func (a *api) guard(h handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if !a.admits(r) {
			w.Header().Set("WWW-Authenticate", `Bearer realm="naksha alerting"`)
			text(w, http.StatusUnauthorized, "The bearer token is missing or wrong. Send `Authorization: Bearer …` with http_token.")
			return
		}
		ctx, cancel := context.WithTimeout(r.Context(), patience)
		defer cancel()
		r = r.WithContext(ctx)
		r.Body = http.MaxBytesReader(w, r.Body, a.MaxBody)
		reply, err := h(r)
		if err != nil {
			a.refuse(w, r, err)
			return
		}
		answer(w, reply)
	}
}

func (a *api) admits(r *http.Request) bool {
	shown, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	return a.Token == "" || subtle.ConstantTimeCompare([]byte(shown), []byte(a.Token)) == 1
}

// refuse answers an error: a fault with its sentence, anything else with 503 or 500 and nothing of the inside.
func (a *api) refuse(w http.ResponseWriter, r *http.Request, err error) {
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		text(w, http.StatusRequestEntityTooLarge, "The request is too large: send smaller batches.")
		return
	}
	f := fault.From(err)
	if f.Code != codes.Internal && f.Code != codes.Unavailable {
		text(w, fault.HTTPStatus(f.Code), strings.TrimSpace(f.Message+" "+f.Remedy))
		return
	}
	a.Log.ErrorContext(r.Context(), "http request failed", "method", r.Method, "path", r.URL.Path, "error", err)
	if f.Code == codes.Unavailable || a.Ready(r.Context()) != nil {
		w.Header().Set("Retry-After", "5")
		text(w, http.StatusServiceUnavailable, "Alerts cannot be taken right now. Send them again.")
		return
	}
	text(w, http.StatusInternalServerError, "An internal error occurred. Send the request again.")
}

// body reads the request's JSON. Its kind must be said, as Prometheus and amtool do: a web page can have a browser send
// any other, or none, to wherever it likes.
func body(r *http.Request) ([]byte, error) {
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		return nil, badRequest("The content type must be application/json.")
	}
	if encoding := r.Header.Get("Content-Encoding"); encoding != "" && encoding != "identity" {
		return nil, badRequest("The content encoding must be identity.")
	}
	return io.ReadAll(r.Body)
}

func badRequest(message string, args ...any) error {
	return fault.Invalid("REQUEST_MALFORMED", message, args...)
}

func text(w http.ResponseWriter, status int, message string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, message+"\n") // the client is gone: nothing to do
}

func answer(w http.ResponseWriter, reply any) {
	if reply == nil {
		w.WriteHeader(http.StatusOK)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(reply) // the client is gone: nothing to do
}
