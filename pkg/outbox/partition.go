package outbox

import (
	"context"
	"fmt"
	"time"

	"github.com/naksha-cloud/naksha/pkg/pg"
)

// week is the span of one partition of event_log.
const week = 7 * 24 * time.Hour

// ensurePartitions creates the partitions of last, this and the next two weeks: a fact is never without a place, also
// when clocks differ or maintenance is late.
func ensurePartitions(ctx context.Context, p *pg.Pool) error {
	start := weekOf(p.Now()).Add(-week)
	for range 4 {
		end := start.Add(week)
		sql := fmt.Sprintf("CREATE TABLE IF NOT EXISTS event_log_%s PARTITION OF event_log FOR VALUES FROM ('%s') TO ('%s')",
			start.Format("20060102"), start.Format(time.RFC3339), end.Format(time.RFC3339))
		if _, err := p.Exec(ctx, sql); err != nil && pg.SQLState(err) != "42P07" {
			return fmt.Errorf("create partition of event_log from %s: %w", start.Format(time.DateOnly), err)
		}
		start = end
	}
	return nil
}

// weekOf is the Monday, 00:00 UTC, that t's week begins with.
func weekOf(t time.Time) time.Time {
	day := t.UTC().Truncate(24 * time.Hour)
	return day.AddDate(0, 0, -int(day.Weekday()+6)%7)
}
