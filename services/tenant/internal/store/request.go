package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/naksha-cloud/naksha/pkg/pg"
	"github.com/naksha-cloud/naksha/services/tenant/internal/request"
)

// errSeen ends a transaction because the order was carried out before.
var errSeen = errors.New("the request was carried out before")

// once runs f in a transaction unless the order was carried out before; then it returns what is known of it. f calls
// note last. Two equal orders at the same moment: the loser of the unique key waits for the winner, and finds its reply.
func (s *Store) once(ctx context.Context, r request.Request, f func(ctx context.Context, tx *pg.Tx) error) (*request.Seen, error) {
	for try := 1; ; try++ {
		var seen *request.Seen
		err := s.pool.InTx(ctx, func(ctx context.Context, tx *pg.Tx) (err error) {
			if seen, err = s.findRequest(ctx, tx, r); err != nil {
				return err
			}
			return f(ctx, tx)
		})
		switch {
		case errors.Is(err, errSeen):
			return seen, seen.Check(r)
		case pg.Constraint(err) != "request_once" || try == 3:
			return nil, err
		}
	}
}

// findRequest ends with errSeen when the order was carried out before.
func (s *Store) findRequest(ctx context.Context, tx *pg.Tx, r request.Request) (*request.Seen, error) {
	if !r.Protected() {
		return nil, nil
	}
	seen, err := scanSeen(tx.QueryRow(ctx, s.query("find_request"), r.Method, r.Principal, r.ID))
	if err != nil || seen == nil {
		return nil, err
	}
	return seen, errSeen
}

func scanSeen(row pgx.Row) (*request.Seen, error) {
	var seen request.Seen
	err := row.Scan(&seen.Fingerprint, &seen.Resource, &seen.Reply, &seen.CreateTime)
	if pg.NoRows(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("look for an earlier request: %w", err)
	}
	return &seen, nil
}

// note queues the row that a repeat will find.
func (p *pipeline) note(r request.Request, resource string, reply []byte, now time.Time) {
	if r.Protected() {
		p.add("note_request", r.Method, r.Principal, r.ID, r.Fingerprint, resource, reply, now)
	}
}

// WithholdReplies forgets the replies that are older than the replay window.
func (s *Store) WithholdReplies(ctx context.Context) error {
	if _, err := s.pool.Exec(ctx, s.query("withhold_replies"), s.pool.Now().Add(-request.ReplayWindow)); err != nil {
		return fmt.Errorf("withhold replies: %w", err)
	}
	return nil
}
