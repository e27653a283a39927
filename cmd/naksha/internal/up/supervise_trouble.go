package up

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/naksha-cloud/naksha/pkg/obs"
)

// trouble is a server that does not work, or that works again and whose end nobody was told of yet.
type trouble struct {
	server       string
	why          error
	began, ended time.Time // ended is zero while it lasts
	told         time.Time // when alerting last took it
}

// troubles are what the supervisor knows to be wrong. It is safe for concurrent use; clear comes first.
type troubles struct {
	restarts metric.Int64Counter

	mu      sync.Mutex
	servers map[string]trouble
}

// change is what a note changed.
type change int

const (
	troubleSame change = iota
	troubleBegan
	troubleChanged // another reason
	troubleEnded
)

// measure shows troubles and restarts as metrics.
func (ts *troubles) measure(t *obs.Telemetry) (err error) {
	meter := t.Meter.Meter("naksha/up")
	if ts.restarts, err = meter.Int64Counter("naksha.server.restarts",
		metric.WithDescription("Servers that failed and were brought back."), metric.WithUnit("{restart}")); err != nil {
		return fmt.Errorf("make restart counter: %w", err)
	}
	_, err = meter.Int64ObservableGauge("naksha.server.trouble",
		metric.WithDescription("1 for each server that does not work right now."), metric.WithUnit("{server}"),
		metric.WithInt64Callback(func(_ context.Context, o metric.Int64Observer) error {
			for _, one := range ts.all() {
				value := int64(1)
				if !one.ended.IsZero() {
					value = 0
				}
				o.Observe(value, metric.WithAttributes(attribute.String("server", one.server)))
			}
			return nil
		}))
	if err != nil {
		return fmt.Errorf("make trouble gauge: %w", err)
	}
	return nil
}

// clear forgets what was wrong in an earlier run.
func (ts *troubles) clear() {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	ts.servers = map[string]trouble{}
}

// restarted counts one restart.
func (ts *troubles) restarted(server string) {
	ts.restarts.Add(context.Background(), 1, metric.WithAttributes(attribute.String("server", server)))
}

// note keeps what is wrong with a server, nil = nothing.
func (ts *troubles) note(server string, why error, now time.Time) change {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	known, found := ts.servers[server]
	lasts := found && known.ended.IsZero()
	switch {
	case why == nil && !lasts:
		return troubleSame
	case why == nil:
		known.ended = now
		ts.servers[server] = known
		return troubleEnded
	case lasts && known.why.Error() == why.Error():
		return troubleSame
	case lasts:
		known.why = why
		ts.servers[server] = known
		return troubleChanged
	}
	ts.servers[server] = trouble{server: server, why: why, began: now}
	return troubleBegan
}

// all returns what is known, in a stable order.
func (ts *troubles) all() []trouble {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	var found []trouble
	for _, name := range slices.Sorted(maps.Keys(ts.servers)) {
		found = append(found, ts.servers[name])
	}
	return found
}

// tell notes that alerting took these as they were. One whose end it took is forgotten.
func (ts *troubles) tell(taken []trouble, now time.Time) {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	for _, one := range taken {
		known, found := ts.servers[one.server]
		switch {
		case !found || !known.began.Equal(one.began):
		case !one.ended.IsZero() && !one.told.IsZero():
			delete(ts.servers, one.server)
		default:
			known.told = now
			ts.servers[one.server] = known
		}
	}
}

// err joins what is wrong right now.
func (ts *troubles) err() error {
	var errs []error
	for _, one := range ts.all() {
		if one.ended.IsZero() {
			errs = append(errs, fmt.Errorf("%s: %w", one.server, one.why))
		}
	}
	return errors.Join(errs...)
}
