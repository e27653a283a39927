package outbox

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/naksha-cloud/naksha/pkg/pg"
)

const (
	week         = 7 * 24 * time.Hour // the span of one partition of event_log
	upkeepEvery  = time.Hour          // by the database's clock
	upkeepPoll   = time.Second        // how often that clock is looked at
	upkeepTime   = time.Minute        // bounds one upkeep
	upkeepFailed = 10 * time.Second   // pause after one that failed
)

// keep makes the log's next partitions and drops its old ones, while the bus is away too. Every replica does: what one
// did, the next finds done.
func (r *Relay) keep(ctx context.Context) {
	var done time.Time
	for ctx.Err() == nil {
		pause := upkeepPoll
		if now := r.config.Pool.Now(); now.Sub(done) >= upkeepEvery {
			err := r.upkeep(ctx)
			r.report(ctx, upkeep, "partitions of event_log are not kept", err)
			if done = now; err != nil && ctx.Err() == nil {
				done, pause = time.Time{}, upkeepFailed
			}
		}
		wait(ctx, nil, pause)
	}
}

func (r *Relay) upkeep(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, upkeepTime)
	defer cancel()
	return errors.Join(ensurePartitions(ctx, r.config.Pool), prune(ctx, r.config.Pool, r.config.Keep))
}

// ensurePartitions creates the partitions of last, this and the next two weeks: a fact is never without a place, also
// when clocks differ or upkeep is late.
func ensurePartitions(ctx context.Context, p *pg.Pool) error {
	start := weekOf(p.Now()).Add(-week)
	for range 4 {
		end := start.Add(week)
		if err := ensurePartition(ctx, p, start, end); err != nil {
			return fmt.Errorf("create partition of event_log from %s: %w", start.Format(time.DateOnly), err)
		}
		start = end
	}
	return nil
}

// ensurePartition attaches a table made beforehand: creating it as a partition would lock out every writer until the
// longest running transaction ends.
func ensurePartition(ctx context.Context, p *pg.Pool, start, end time.Time) error {
	name := "event_log_" + start.Format("20060102")
	var exists bool
	if err := p.QueryRow(ctx, "SELECT to_regclass($1) IS NOT NULL", name).Scan(&exists); err != nil || exists {
		return err
	}
	err := p.InTx(ctx, func(ctx context.Context, tx *pg.Tx) error {
		_, err := tx.Exec(ctx, "CREATE TABLE "+name+" (LIKE event_log INCLUDING CONSTRAINTS INCLUDING INDEXES)")
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, fmt.Sprintf("ALTER TABLE event_log ATTACH PARTITION %s FOR VALUES FROM ('%s') TO ('%s')",
			name, start.Format(time.RFC3339), end.Format(time.RFC3339)))
		return err
	})
	if state := pg.SQLState(err); state == "42P07" || state == "23505" {
		return nil // another replica was faster
	}
	return err
}

// oldPartition is a table of the log whose week ended before the record's memory begins.
type oldPartition struct {
	Name     string
	Attached bool
	Pending  bool // a detachment was interrupted
}

// prune drops the partitions whose facts are all older than keep and published.
func prune(ctx context.Context, p *pg.Pool, keep time.Duration) error {
	until := weekOf(p.Now().Add(-keep)) // whole weeks before this one
	rows, err := p.Query(ctx, query("old_partitions"), "event_log_"+until.Format("20060102"), until)
	old, err := pg.All[oldPartition](rows, err)
	if err != nil {
		return fmt.Errorf("list old partitions of event_log: %w", err)
	}
	for _, o := range old {
		if err := drop(ctx, p, o); err != nil {
			return fmt.Errorf("drop partition %s: %w", o.Name, err)
		}
	}
	return nil
}

// drop detaches first, without locking out writers.
func drop(ctx context.Context, p *pg.Pool, o oldPartition) error {
	how := " CONCURRENTLY"
	if o.Pending {
		how = " FINALIZE"
	}
	if o.Attached {
		if _, err := p.Exec(ctx, "ALTER TABLE event_log DETACH PARTITION "+o.Name+how); err != nil {
			return err
		}
	}
	_, err := p.Exec(ctx, "DROP TABLE IF EXISTS "+o.Name)
	return err
}

// weekOf is the Monday, 00:00 UTC, that t's week begins with.
func weekOf(t time.Time) time.Time {
	day := t.UTC().Truncate(24 * time.Hour)
	return day.AddDate(0, 0, -int(day.Weekday()+6)%7)
}
