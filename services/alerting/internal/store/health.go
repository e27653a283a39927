package store

import (
	"context"
	"fmt"
	"time"

	"github.com/naksha-cloud/naksha/pkg/pg"
	"github.com/naksha-cloud/naksha/services/alerting/internal/incident"
	"github.com/naksha-cloud/naksha/services/alerting/internal/severity"
)

// Health are the invariants of the tables; each should be 0.
type Health struct {
	Unguarded    int64      // open, unacknowledged incidents without a timer
	OldestTimer  *time.Time // the earliest timer; in the past = late
	PastDeadline int64      // deliveries that still wait after their deadline
	Ambiguous    int64      // attempts without an outcome for more than a minute
	Unattempted  int64      // deliveries taken in the last day without an attempt's row
}

// Health measures the invariants now.
func (s *Store) Health(ctx context.Context) (Health, error) {
	now := s.Now()
	rows, err := s.pool.Query(ctx, query("health"), now, now.Add(-time.Minute), now.Add(-24*time.Hour))
	h, err := pg.One[Health](rows, err)
	if err != nil {
		return Health{}, fmt.Errorf("measure health: %w", err)
	}
	return h, nil
}

// Count is how many open incidents have a severity and a status.
type Count struct {
	Severity severity.Severity
	Status   incident.Status
	N        int64
}

// OpenCounts counts the open incidents.
func (s *Store) OpenCounts(ctx context.Context) ([]Count, error) {
	rows, err := s.pool.Query(ctx, query("count_incidents"))
	counts, err := pg.All[Count](rows, err)
	if err != nil {
		return nil, fmt.Errorf("count incidents: %w", err)
	}
	return counts, nil
}
