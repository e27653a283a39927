package demo

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// bystander is the neighbour's connection with a transaction that stays open through everything.
type bystander struct {
	conn *pgx.Conn
	pid  int
}

func (w *world) openBystander(ctx context.Context) (*bystander, error) {
	conn, err := w.neighbour.sql.Connect(ctx)
	if err != nil {
		return nil, fmt.Errorf("the neighbour logs in: %w", err)
	}
	b := &bystander{conn: conn}
	if _, err = conn.Exec(ctx, "BEGIN; UPDATE ledger SET amount = amount WHERE id = 1; CREATE TABLE seen (id int)"); err == nil {
		err = conn.QueryRow(ctx, "SELECT pg_backend_pid()").Scan(&b.pid)
	}
	if err != nil {
		b.leave()
		return nil, fmt.Errorf("the neighbour begins a transaction: %w", err)
	}
	return b, nil
}

// finish sees that it is the same session and the same transaction, commits, and tidies up.
func (b *bystander) finish(ctx context.Context) error {
	var pid, seen int
	if err := b.conn.QueryRow(ctx, "SELECT pg_backend_pid(), (SELECT count(*) FROM seen)").Scan(&pid, &seen); err != nil {
		return err
	}
	if pid != b.pid {
		return fmt.Errorf("session %d became %d", b.pid, pid)
	}
	_, err := b.conn.Exec(ctx, "COMMIT")
	if err == nil {
		_, err = b.conn.Exec(ctx, "DROP TABLE seen")
	}
	return err
}

func (b *bystander) leave() {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	_ = b.conn.Close(ctx)
}
