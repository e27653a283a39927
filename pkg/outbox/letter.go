package outbox

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/naksha-cloud/naksha/pkg/fault"
	"github.com/naksha-cloud/naksha/pkg/pg"
)

// Letter is a dead letter: a fact that a consumer could not take, or that is parked behind one of its aggregate.
type Letter struct {
	ID       uuid.UUID
	Consumer string // `<STREAM>/<service>`
	Event
	Error    string // why it could not be taken; empty = parked
	Attempts int64
	Rejected bool      // it is of no use to try it again by itself
	BuriedAt time.Time `db:"buried_at"`
	TriedAt  time.Time `db:"tried_at"`
}

// Letters returns a page of a service's dead letters, newest first, before the one with the id `before`; the nil id =
// the first page. aggregate empty = of all.
func Letters(ctx context.Context, p *pg.Pool, aggregate string, before uuid.UUID, limit int) ([]Letter, error) {
	if before == uuid.Nil {
		before = uuid.Max
	}
	rows, err := p.Query(ctx, query("letters"), before, aggregate, limit)
	letters, err := pg.All[Letter](rows, err)
	if err != nil {
		return nil, fmt.Errorf("list dead letters: %w", err)
	}
	return letters, nil
}

// LetterOf returns one dead letter.
func LetterOf(ctx context.Context, p *pg.Pool, id uuid.UUID) (Letter, error) {
	rows, err := p.Query(ctx, query("letter"), id)
	l, err := pg.One[Letter](rows, err)
	if pg.NoRows(err) {
		return Letter{}, unknownLetter(id)
	}
	if err != nil {
		return Letter{}, fmt.Errorf("read dead letter: %w", err)
	}
	return l, nil
}

func unknownLetter(id uuid.UUID) error {
	return fault.NotFound("DEAD_LETTER_UNKNOWN", "There is no dead letter %s.", id).
		WithRemedy("List the dead letters: it may have been replayed or dropped.")
}

// CountLetters is how many dead letters wait for somebody.
func CountLetters(ctx context.Context, p *pg.Pool) (n int64, err error) {
	err = p.QueryRow(ctx, query("letter_count")).Scan(&n)
	return n, err
}

// Drop forgets a dead letter without its effect. What is parked behind it stays until it is replayed or dropped.
func Drop(ctx context.Context, p *pg.Pool, id uuid.UUID) (Letter, error) {
	l, err := LetterOf(ctx, p, id)
	if err != nil {
		return Letter{}, err
	}
	err = NewLedger(p, l.Consumer).InTx(ctx, func(ctx context.Context, tx LedgerTx) error {
		if _, err := tx.Reached(ctx, []string{l.Aggregate}); err != nil { // no fact is parked behind it meanwhile
			return err
		}
		return tx.Unbury(ctx, id)
	})
	return l, err
}

// Replayed is what came of a replay.
type Replayed struct {
	Count  int     // letters that were taken
	Failed *Letter // the one that failed again and still parks its aggregate; nil = all were taken
}

// Replay takes the dead letters of an aggregate in order, each in a transaction of its own, until one fails again or
// none is left: then the aggregate's next facts are taken as they come.
func (in *Intake) Replay(ctx context.Context, aggregate string) (Replayed, error) {
	var done Replayed
	for {
		letter, ok, err := in.replayFirst(ctx, aggregate)
		var ours failure
		switch {
		case err == nil && !ok:
			return done, nil
		case err == nil:
			done.Count++
		case errors.As(err, &ours):
			letter.Error, letter.Attempts = ours.Error(), letter.Attempts+1
			done.Failed = &letter
			return done, in.Ledger.Blame(ctx, letter.ID, ours.error)
		default:
			return done, err
		}
	}
}

// replayFirst takes the first letter; ok is false when there is none.
func (in *Intake) replayFirst(ctx context.Context, aggregate string) (l Letter, ok bool, err error) {
	err = in.Ledger.InTx(ctx, func(ctx context.Context, tx LedgerTx) error {
		if _, err := tx.Reached(ctx, []string{aggregate}); err != nil {
			return err
		}
		if l, ok, err = tx.FirstLetter(ctx, aggregate); err != nil || !ok {
			return err
		}
		if err := tx.Unbury(ctx, l.ID); err != nil {
			return err
		}
		if l.Type == "" {
			return nil // stood for facts that are lost
		}
		return in.react(ctx, tx, l.Event)
	})
	return l, ok, err
}

// letterRest is how long a dead letter that was not rejected rests before it is tried again by itself.
const letterRest = 10 * time.Minute

// Revive replays the letters that failed for reasons that may have passed.
func (in *Intake) Revive(ctx context.Context) error {
	waiting, err := in.Ledger.Waiting(ctx, in.Clock.Now().Add(-letterRest))
	if err != nil {
		return err
	}
	var errs []error
	for _, aggregate := range waiting {
		done, err := in.Replay(ctx, aggregate)
		errs = append(errs, err)
		if done.Count > 0 {
			in.Log.InfoContext(ctx, "dead letters taken at last", "consumer", in.Consumer, "aggregate", aggregate, "facts", done.Count)
		}
	}
	return errors.Join(errs...)
}

// OwnerOf is the service whose facts a letter's consumer takes.
func (l Letter) OwnerOf() string {
	stream, _, _ := strings.Cut(l.Consumer, "/")
	return strings.ToLower(stream)
}
