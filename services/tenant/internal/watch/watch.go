// Package watch keeps one customer from stopping a cell, or a neighbour in it: whoever takes too much of what the server
// shares, or is in somebody's way, loses its sessions. It decides nothing about rows, logins or plans.
package watch

import (
	"context"
	"errors"
	"log/slog"
	"time"
)

const (
	// LockShare is how much of the server's table of locks one workspace may hold: about 20,000 locks where the settings
	// are those of `naksha up`. A dump of 5,000 tables needs fewer.
	LockShare = 0.1
	// Patience is how long a session may keep a neighbour waiting.
	Patience = time.Second
)

// Ended is a workspace whose sessions were ended.
type Ended struct {
	Ref      string
	Reason   string // a metric label: locks, holds_up_neighbour
	Sessions int32
}

// Cell is the server. Unavailable: it does not answer.
type Cell interface {
	// EndGreedy ends the sessions of workspaces that hold more than this share of the table of locks.
	EndGreedy(ctx context.Context, share float64) ([]Ended, error)
	// EndHolders ends customers' sessions that keep somebody waiting for longer at a relation of another workspace.
	EndHolders(ctx context.Context, patience time.Duration) ([]Ended, error)
}

// Watcher looks at a cell.
type Watcher struct {
	Cell  Cell
	Ended func(context.Context, Ended) // is told of each workspace
	Log   *slog.Logger
}

// Watch looks once.
func (w *Watcher) Watch(ctx context.Context) error {
	greedy, err := w.Cell.EndGreedy(ctx, LockShare)
	w.tell(ctx, greedy)
	holders, failed := w.Cell.EndHolders(ctx, Patience)
	w.tell(ctx, holders)
	return errors.Join(err, failed)
}

func (w *Watcher) tell(ctx context.Context, ended []Ended) {
	for _, e := range ended {
		w.Log.WarnContext(ctx, "sessions of a customer ended", "ref", e.Ref, "reason", e.Reason, "sessions", e.Sessions)
		w.Ended(ctx, e)
	}
}
