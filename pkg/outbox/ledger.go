package outbox

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/naksha-cloud/naksha/pkg/pg"
)

// Ledger is where a consumer keeps what it has taken: Postgres, or a fake in simulations. All its errors are passing:
// what failed is tried again.
type Ledger interface {
	// InTx runs f in one transaction, which commits when f returns nil. f may run again after a conflict.
	InTx(ctx context.Context, f func(ctx context.Context, tx LedgerTx) error) error
	// Behind returns those of the heads that the consumer has not reached, in their order.
	Behind(ctx context.Context, heads []Head) ([]Behind, error)
	// Compared is the moment up to which the owner's heads were compared last; zero = never.
	Compared(ctx context.Context) (time.Time, error)
	// SetCompared moves that moment.
	SetCompared(ctx context.Context, until time.Time) error
	// Blame notes that a dead letter failed again.
	Blame(ctx context.Context, letter uuid.UUID, cause error) error
	// Waiting returns aggregates whose first dead letter was not rejected and has not been tried since a moment.
	Waiting(ctx context.Context, since time.Time) ([]string, error)
	// Prune forgets ids of facts that were recorded before a moment. Versions keep them from being taken twice.
	Prune(ctx context.Context, before time.Time) error
}

// LedgerTx is one transaction of a Ledger.
type LedgerTx interface {
	// Reached returns how far each aggregate was taken, and keeps others from moving it until the transaction ends.
	// Aggregates that are not in it are at version 0.
	Reached(ctx context.Context, aggregates []string) (map[string]Progress, error)
	// Note records facts as taken and moves their aggregates' versions, which were reached before. It returns the ids of
	// those facts that were noted before, under another version.
	Note(ctx context.Context, facts []Event, reached map[string]Progress) (repeats map[uuid.UUID]bool, err error)
	// Bury keeps a dead letter.
	Bury(ctx context.Context, l Letter) error
	// FirstLetter returns an aggregate's dead letter of the lowest version; ok is false when it has none.
	FirstLetter(ctx context.Context, aggregate string) (l Letter, ok bool, err error)
	// Unbury forgets a dead letter.
	Unbury(ctx context.Context, letter uuid.UUID) error
	// Postgres is the transaction for reactions.
	Postgres() *pg.Tx
}

// Progress is how far an aggregate was taken.
type Progress struct {
	Version int64
	Parked  bool // a dead letter holds up everything behind it
}

// Behind is an aggregate that the consumer has not taken as far as its owner has recorded it.
type Behind struct {
	Aggregate string
	Taken     int64 // the consumer's version
	Recorded  int64 // the owner's
}

// Owner is the service whose facts are taken, asked when the bus may have lost some.
type Owner interface {
	// Events returns a page of an aggregate's recorded facts after a version, in order; a snapshot where the log is gone.
	Events(ctx context.Context, aggregate string, after int64) ([]Event, error)
	// Heads returns a page of the heads that changed since a moment. page is Next of the page before.
	Heads(ctx context.Context, since time.Time, page string) (HeadPage, error)
}

// Stream is how far the bus has brought the consumer.
type Stream interface {
	// Last is the stream's last sequence.
	Last(ctx context.Context) (uint64, error)
	// Passed says whether all that the stream has up to a sequence was handed out and handled.
	Passed(ctx context.Context, sequence uint64) (bool, error)
}
