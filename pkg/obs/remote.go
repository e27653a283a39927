package obs

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// remoteWait bounds one question to another process.
const remoteWait = 2 * time.Second

// remoteLimit in bytes of one answer.
const remoteLimit = 16 << 20

// Remote is the Admin server of a service that runs as a process of its own, http://host:port. An Admin that has it as a
// Source shows the service as if it ran in this process.
type Remote string

// Ready says why the service is not ready, in its own words, or nil.
func (r Remote) Ready(ctx context.Context) error {
	code, text, err := r.ask(ctx, http.MethodGet, "/readyz", "")
	if err == nil && code != http.StatusOK {
		first, _, _ := strings.Cut(string(text), "\n")
		err = fmt.Errorf("is not ready: %s", first)
	}
	return err
}

// Live says why the service gives no sign of life, or nil. One that is not ready is alive.
func (r Remote) Live(ctx context.Context) error {
	_, _, err := r.ask(ctx, http.MethodGet, "/livez", "")
	return err
}

// SetLevel changes the service's log level.
func (r Remote) SetLevel(ctx context.Context, level slog.Level) error {
	code, text, err := r.ask(ctx, http.MethodPut, "/loglevel", level.String())
	if err == nil && code != http.StatusOK {
		err = fmt.Errorf("log level: %s", text)
	}
	return err
}

// Gather fetches the service's metrics.
func (r Remote) Gather() ([]*dto.MetricFamily, error) {
	code, text, err := r.ask(context.Background(), http.MethodGet, "/metrics", "")
	if err != nil || code != http.StatusOK {
		return nil, fmt.Errorf("fetch metrics: status %d: %w", code, err)
	}
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(string(text)))
	if err != nil {
		return nil, fmt.Errorf("read metrics: %w", err)
	}
	return slices.Collect(maps.Values(families)), nil
}

var _ prometheus.Gatherer = Remote("")

func (r Remote) ask(ctx context.Context, method, path, body string) (int, []byte, error) {
	ctx, cancel := context.WithTimeout(ctx, remoteWait)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, method, string(r)+path, strings.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	reply, err := client.Do(request)
	if err != nil {
		return 0, nil, fmt.Errorf("does not answer: %w", err)
	}
	defer reply.Body.Close()
	text, err := io.ReadAll(io.LimitReader(reply.Body, remoteLimit))
	return reply.StatusCode, text, err
}
