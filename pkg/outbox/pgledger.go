package outbox

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/naksha-cloud/naksha/pkg/bus"
	"github.com/naksha-cloud/naksha/pkg/pg"
)

// pgLedger is the Ledger of a consumer in its service's schema.
type pgLedger struct {
	pool     *pg.Pool
	consumer string
}

// NewLedger is the Ledger of a consumer, `<STREAM>/<service>`.
func NewLedger(p *pg.Pool, consumer string) Ledger { return pgLedger{pool: p, consumer: consumer} }

func (l pgLedger) InTx(ctx context.Context, f func(ctx context.Context, tx LedgerTx) error) error {
	return l.pool.InTx(ctx, func(ctx context.Context, tx *pg.Tx) error {
		return f(ctx, pgLedgerTx{tx: tx, consumer: l.consumer})
	})
}

func (l pgLedger) Behind(ctx context.Context, heads []Head) ([]Behind, error) {
	aggregates, versions := make([]string, len(heads)), make([]int64, len(heads))
	for i, h := range heads {
		aggregates[i], versions[i] = h.Aggregate, h.Version
	}
	rows, err := l.pool.Query(ctx, query("behind"), l.consumer, aggregates, versions)
	behind, err := pg.All[Behind](rows, err)
	if err != nil {
		return nil, fmt.Errorf("compare heads: %w", err)
	}
	return behind, nil
}

func (l pgLedger) Compared(ctx context.Context) (until time.Time, err error) {
	err = l.pool.QueryRow(ctx, query("compared"), l.consumer).Scan(&until)
	if pg.NoRows(err) {
		return time.Time{}, nil
	}
	if err != nil {
		return time.Time{}, fmt.Errorf("read when heads were compared: %w", err)
	}
	return until, nil
}

func (l pgLedger) SetCompared(ctx context.Context, until time.Time) error {
	if _, err := l.pool.Exec(ctx, query("set_compared"), l.consumer, until); err != nil {
		return fmt.Errorf("note that heads were compared: %w", err)
	}
	return nil
}

func (l pgLedger) Blame(ctx context.Context, letter uuid.UUID, cause error) error {
	if _, err := l.pool.Exec(ctx, query("blame"), letter, cause.Error(), bus.Rejected(cause), l.pool.Now()); err != nil {
		return fmt.Errorf("note the failure of dead letter %s: %w", letter, err)
	}
	return nil
}

func (l pgLedger) Waiting(ctx context.Context, since time.Time) ([]string, error) {
	rows, err := l.pool.Query(ctx, query("waiting"), l.consumer, since)
	if err != nil {
		return nil, fmt.Errorf("look for dead letters: %w", err)
	}
	return pgx.CollectRows(rows, pgx.RowTo[string])
}

// pruned is how many ids are forgotten at once: a greater statement would hold up vacuum and the disk.
const pruned = 10_000

func (l pgLedger) Prune(ctx context.Context, before time.Time) error {
	var first uuid.UUID // RFC 9562: a UUIDv7 begins with 48 bits of milliseconds
	binary.BigEndian.PutUint64(first[:], uint64(before.UnixMilli())<<16)
	for {
		tag, err := l.pool.Exec(ctx, query("prune"), l.consumer, first, pruned)
		if err != nil {
			return fmt.Errorf("forget old inbox rows: %w", err)
		}
		if tag.RowsAffected() < pruned {
			return nil
		}
	}
}

// pgLedgerTx is one transaction of a pgLedger.
type pgLedgerTx struct {
	tx       *pg.Tx
	consumer string
}

func (l pgLedgerTx) Postgres() *pg.Tx { return l.tx }

func (l pgLedgerTx) Reached(ctx context.Context, aggregates []string) (map[string]Progress, error) {
	reached := map[string]Progress{}
	var batch pgx.Batch
	batch.Queue(query("reached"), l.consumer, aggregates).Query(func(rows pgx.Rows) error {
		var aggregate string
		var version int64
		_, err := pgx.ForEachRow(rows, []any{&aggregate, &version}, func() error {
			reached[aggregate] = Progress{Version: version}
			return nil
		})
		return err
	})
	// A statement of its own, which sees what was committed while the one before waited for a lock.
	batch.Queue(query("parked"), l.consumer, aggregates).Query(func(rows pgx.Rows) error {
		var aggregate string
		_, err := pgx.ForEachRow(rows, []any{&aggregate}, func() error {
			if p, ok := reached[aggregate]; ok {
				reached[aggregate] = Progress{Version: p.Version, Parked: true}
			}
			return nil
		})
		return err
	})
	if err := l.tx.SendBatch(ctx, &batch).Close(); err != nil {
		return nil, fmt.Errorf("read heads: %w", err)
	}
	return reached, nil
}

// errRaced says that another replica began an aggregate first; the next try sees it.
var errRaced = errors.New("another replica took the aggregate's first fact")

func (l pgLedgerTx) Note(ctx context.Context, facts []Event, reached map[string]Progress) (map[uuid.UUID]bool, error) {
	versions, repeats, ids := map[string]int64{}, map[uuid.UUID]bool{}, make([]uuid.UUID, len(facts))
	for i, e := range facts {
		versions[e.Aggregate], ids[i], repeats[e.ID] = e.Version, e.ID, true
	}
	var known, begun heads
	for _, aggregate := range slices.Sorted(maps.Keys(versions)) {
		if _, ok := reached[aggregate]; ok {
			known.add(aggregate, versions[aggregate])
		} else {
			begun.add(aggregate, versions[aggregate])
		}
	}
	var batch pgx.Batch
	if len(known.aggregates) > 0 {
		batch.Queue(query("move"), l.consumer, known.aggregates, known.versions)
	}
	if len(begun.aggregates) > 0 {
		batch.Queue(query("begin"), l.consumer, begun.aggregates, begun.versions).Exec(begun.all)
	}
	batch.Queue(query("receive"), l.consumer, ids, l.tx.Now).Query(func(rows pgx.Rows) error {
		var id uuid.UUID
		_, err := pgx.ForEachRow(rows, []any{&id}, func() error {
			delete(repeats, id)
			return nil
		})
		return err
	})
	if err := l.tx.SendBatch(ctx, &batch).Close(); err != nil {
		return nil, fmt.Errorf("note facts: %w", err)
	}
	return repeats, nil
}

func (l pgLedgerTx) Bury(ctx context.Context, d Letter) error {
	headers, err := json.Marshal(d.Headers)
	if err != nil {
		return fmt.Errorf("encode headers: %w", err)
	}
	if d.Headers == nil {
		headers = []byte("{}")
	}
	payload := d.Payload
	if payload == nil {
		payload = []byte{}
	}
	_, err = l.tx.Exec(ctx, query("bury"), d.ID, l.consumer, d.Event.ID, d.Aggregate, d.Version, d.Type, d.Workspace, payload,
		d.Error, d.Attempts, d.BuriedAt, d.At, headers, d.Rejected)
	if err != nil {
		return fmt.Errorf("keep dead letter: %w", err)
	}
	return nil
}

func (l pgLedgerTx) FirstLetter(ctx context.Context, aggregate string) (Letter, bool, error) {
	rows, err := l.tx.Query(ctx, query("first_letter"), l.consumer, aggregate)
	d, err := pg.One[Letter](rows, err)
	if pg.NoRows(err) {
		return Letter{}, false, nil
	}
	if err != nil {
		return Letter{}, false, fmt.Errorf("read dead letter: %w", err)
	}
	return d, true, nil
}

func (l pgLedgerTx) Unbury(ctx context.Context, letter uuid.UUID) error {
	if _, err := l.tx.Exec(ctx, query("unbury"), letter); err != nil {
		return fmt.Errorf("forget dead letter: %w", err)
	}
	return nil
}

// heads are aggregates with their versions, as the columns of a statement.
type heads struct {
	aggregates []string
	versions   []int64
}

func (h *heads) add(aggregate string, version int64) {
	h.aggregates, h.versions = append(h.aggregates, aggregate), append(h.versions, version)
}

// all wants as many rows as heads.
func (h *heads) all(tag pgconn.CommandTag) error {
	if int(tag.RowsAffected()) < len(h.aggregates) {
		return errRaced
	}
	return nil
}
