// Package watch keeps one customer from stopping a cell, or a neighbour in it: whoever takes too much of what the server
// shares, or is in somebody's way, loses its sessions. It decides nothing about rows, logins or plans.
package watch

import (
	"context"
	"log/slog"
	"time"

	"github.com/naksha-cloud/naksha/pkg/clock"
)

const (
	// LockShare is how much of the server's table of locks one workspace may hold: about 20,000 locks where the settings
	// are those of `naksha up`. A dump of 5,000 tables needs fewer.
	LockShare = 0.1
	// Patience is how long a session may keep a neighbour waiting.
	Patience = time.Second

	every = time.Second // a table of locks can be filled within seconds
	shift = 60          // looks; so long nobody else can lock a catalogue exclusively
)

// Ended is a workspace whose sessions were ended.
type Ended struct {
	Ref      string
	Reason   string // a metric label: locks, holds_up_neighbour
	Sessions int32
}

// Cell is the server. Unavailable: it does not answer.
type Cell interface {
	// Guard runs f with a Guard that works even when nobody else gets a lock any more.
	Guard(ctx context.Context, f func(ctx context.Context, g Guard) error) error
}

// Guard looks at the server's sessions.
type Guard interface {
	// EndGreedy ends the sessions of workspaces that hold more than this share of the table of locks.
	EndGreedy(ctx context.Context, share float64) ([]Ended, error)
	// EndHolders ends customers' sessions that keep somebody waiting for longer at a relation of another workspace.
	EndHolders(ctx context.Context, patience time.Duration) ([]Ended, error)
}

// Watcher looks at a cell.
type Watcher struct {
	Cell  Cell
	Clock clock.Clock
	Ended func(context.Context, Ended) // is told of each workspace
	Log   *slog.Logger
}

// Watch looks once a second for about a minute. It never ends while somebody takes too much: the next Watch begins with
// taking locks, for which there must be room.
func (w *Watcher) Watch(ctx context.Context) error {
	return w.Cell.Guard(ctx, func(ctx context.Context, g Guard) error {
		for looks := 1; ; looks++ {
			ended, err := w.look(ctx, g)
			if err != nil || looks >= shift && !ended {
				return err
			}
			if err := clock.Sleep(ctx, w.Clock, every); err != nil {
				return err
			}
		}
	})
}

// look says whether it ended anybody's sessions.
func (w *Watcher) look(ctx context.Context, g Guard) (bool, error) {
	greedy, err := g.EndGreedy(ctx, LockShare)
	if err != nil {
		return false, err
	}
	holders, err := g.EndHolders(ctx, Patience)
	w.tell(ctx, append(greedy, holders...))
	return len(greedy)+len(holders) > 0, err
}

func (w *Watcher) tell(ctx context.Context, ended []Ended) {
	for _, e := range ended {
		w.Log.WarnContext(ctx, "sessions of a customer ended", "ref", e.Ref, "reason", e.Reason, "sessions", e.Sessions)
		w.Ended(ctx, e)
	}
}
