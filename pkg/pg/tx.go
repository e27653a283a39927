package pg

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// Tx is a transaction with one point in time.
type Tx struct {
	pgx.Tx
	// Now is the transaction's time, UTC, in microseconds as Postgres keeps it. SQL gets it as a parameter.
	Now         time.Time
	afterCommit []func()
}

// AfterCommit runs f once the transaction is durable; never when it rolls back.
func (t *Tx) AfterCommit(f func()) { t.afterCommit = append(t.afterCommit, f) }

// txTries bounds how often a transaction that lost a deadlock or a serialization conflict is run.
const txTries = 5

// InTx runs f in a READ COMMITTED transaction and commits when f returns nil. A deadlock or serialization failure runs
// f again, so f must have no effect outside of the transaction.
func (p *Pool) InTx(ctx context.Context, f func(ctx context.Context, tx *Tx) error) error {
	return p.inTx(ctx, pgx.TxOptions{}, f)
}

// Snapshot runs f in a read-only REPEATABLE READ transaction: all queries see one moment.
func (p *Pool) Snapshot(ctx context.Context, f func(ctx context.Context, tx *Tx) error) error {
	return p.inTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, f)
}

func (p *Pool) inTx(ctx context.Context, o pgx.TxOptions, f func(context.Context, *Tx) error) error {
	inner, err := p.started()
	if err != nil {
		return err
	}
	for try := 1; ; try++ {
		tx := &Tx{Now: p.Now()}
		err = pgx.BeginTxFunc(ctx, inner, o, func(raw pgx.Tx) error {
			tx.Tx = raw
			return f(ctx, tx)
		})
		if err == nil {
			for _, hook := range tx.afterCommit {
				hook()
			}
			return nil
		}
		if !conflict(err) || try == txTries {
			return err
		}
	}
}

func conflict(err error) bool {
	state := SQLState(err)
	return state == "40001" || state == "40P01"
}

// One collects exactly one row of a query into T by column name; ErrNoRows as pgx.ErrNoRows.
func One[T any](rows pgx.Rows, err error) (T, error) {
	if err != nil {
		var zero T
		return zero, err
	}
	return pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[T])
}

// All collects all rows of a query into T by column name.
func All[T any](rows pgx.Rows, err error) ([]T, error) {
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByName[T])
}

// NoRows says that a query found nothing.
func NoRows(err error) bool { return errors.Is(err, pgx.ErrNoRows) }

// unlockTime bounds giving a lock back, also when ctx has ended.
const unlockTime = 5 * time.Second

// WithLock runs f while this session holds the advisory lock key, so that one replica at a time is in f.
func (p *Pool) WithLock(ctx context.Context, key int64, f func(ctx context.Context) error) error {
	inner, err := p.started()
	if err != nil {
		return err
	}
	conn, err := inner.Acquire(ctx)
	if err != nil {
		return fmt.Errorf("acquire connection: %w", err)
	}
	defer conn.Release()
	if _, err := conn.Exec(ctx, "SELECT pg_advisory_lock($1)", key); err != nil {
		return fmt.Errorf("take lock: %w", err)
	}
	defer func() {
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), unlockTime)
		defer cancel()
		if _, err := conn.Exec(last, "SELECT pg_advisory_unlock($1)", key); err != nil {
			_ = conn.Conn().Close(last) // the session's end frees the lock
		}
	}()
	return f(ctx)
}
