package outbox

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/naksha-cloud/naksha/pkg/pg"
)

const (
	batchBytes  = 4 << 20          // payload read at once; one fact is always less
	statement   = 10 * time.Second // bounds each statement of the relay
	restoration = 2 * time.Minute  // bounds the one that restores what a stream lost
	// A stream's messages are not exactly in the order in which facts were recorded: a transaction that took long is
	// published behind younger ones. Restoring begins so much before the last fact that the stream kept.
	restoreBefore = 10 * time.Minute
	restoreMost   = 24 * time.Hour // older ones are fetched by those who miss them
	restoreBlind  = time.Hour      // when the stream kept nothing that says where it ended
)

// relayRecord is a service's database as its pump sees it: RelayRecord and RelayLease in Postgres.
type relayRecord struct{ pool *pg.Pool }

// Pending implements RelayRecord.
func (r relayRecord) Pending(ctx context.Context, except []int64, limit int) ([]Event, error) {
	ctx, cancel := context.WithTimeout(ctx, statement)
	defer cancel()
	rows, err := r.pool.Query(ctx, query("pending"), orNone(except), limit, batchBytes)
	if err != nil {
		return nil, fmt.Errorf("read pending facts: %w", err)
	}
	events, err := pgx.CollectRows(rows, scanEvent)
	if err != nil {
		return nil, fmt.Errorf("read pending facts: %w", err)
	}
	return events, nil
}

// scanEvent reads a row by place: by name, or with a map for headers that are mostly empty, costs as much as publishing.
func scanEvent(row pgx.CollectableRow) (e Event, err error) {
	var headers []byte
	err = row.Scan(&e.Seq, &e.At, &e.ID, &e.Aggregate, &e.Version, &e.Type, &e.Workspace, &headers, &e.Payload)
	if err == nil && len(headers) > len("{}") {
		err = json.Unmarshal(headers, &e.Headers)
	}
	return e, err
}

// Settle implements RelayRecord. It goes to its end also while the relay stops.
func (r relayRecord) Settle(ctx context.Context, holder uuid.UUID, published []int64, last uint64) (held bool, err error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), statement)
	defer cancel()
	err = r.pool.QueryRow(ctx, query("settle"), holder, orNone(published), int64(last)).Scan(&held, nil)
	if err != nil {
		return false, fmt.Errorf("forget published facts: %w", err)
	}
	return held, nil
}

// orNone is an empty array where nil would be NULL.
func orNone(sequences []int64) []int64 {
	if sequences == nil {
		return []int64{}
	}
	return sequences
}

// Last implements RelayRecord.
func (r relayRecord) Last(ctx context.Context) (uint64, error) {
	ctx, cancel := context.WithTimeout(ctx, statement)
	defer cancel()
	var last int64
	if err := r.pool.QueryRow(ctx, query("mark")).Scan(&last); err != nil && !pg.NoRows(err) {
		return 0, err
	}
	return uint64(last), nil
}

// Restore implements RelayRecord.
func (r relayRecord) Restore(ctx context.Context, holder uuid.UUID, kept time.Time, last uint64) (facts int64, held bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, restoration)
	defer cancel()
	now := r.pool.Now()
	from := now.Add(-restoreBlind)
	if !kept.IsZero() {
		from = kept.Add(-restoreBefore)
	}
	if earliest := now.Add(-restoreMost); from.Before(earliest) {
		from = earliest
	}
	err = r.pool.QueryRow(ctx, query("restore"), holder, from, int64(last)).Scan(&held, &facts)
	return facts, held, err
}

// Knows implements RelayRecord.
func (r relayRecord) Knows(ctx context.Context, at time.Time, id uuid.UUID) (known bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, statement)
	defer cancel()
	err = r.pool.QueryRow(ctx, query("knows"), at, id).Scan(&known)
	return known, err
}

// Look implements RelayLease.
func (r relayRecord) Look(ctx context.Context) (LeaseState, error) {
	ctx, cancel := context.WithTimeout(ctx, statement)
	defer cancel()
	var s LeaseState
	if err := r.pool.QueryRow(ctx, query("lease")).Scan(&s.Holder, &s.Beat); err != nil && !pg.NoRows(err) {
		return LeaseState{}, err
	}
	return s, nil
}

// Take implements RelayLease.
func (r relayRecord) Take(ctx context.Context, seen LeaseState, holder uuid.UUID) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, statement)
	defer cancel()
	tag, err := r.pool.Exec(ctx, query("take_lease"), holder, seen.Holder, seen.Beat)
	return tag.RowsAffected() == 1, err
}

// Give implements RelayLease.
func (r relayRecord) Give(ctx context.Context, holder uuid.UUID) error {
	ctx, cancel := context.WithTimeout(ctx, statement)
	defer cancel()
	if _, err := r.pool.Exec(ctx, query("give_lease"), holder, uuid.Nil); err != nil {
		return fmt.Errorf("give the relay's lease back: %w", err)
	}
	return nil
}
