// Package ingest takes alerts in, from whoever saw them: it settles each post, merges it with what is known, and has the
// groups looked at, in one transaction. A post that cannot be kept is refused with its reason and the others are kept.
package ingest

import (
	"context"
	"time"

	"github.com/naksha-cloud/naksha/pkg/pg"
	"github.com/naksha-cloud/naksha/services/alerting/internal/alert"
)

// Store keeps alerts.
type Store interface {
	// InTx runs f in one transaction with one now.
	InTx(ctx context.Context, f func(ctx context.Context, tx *pg.Tx) error) error
	// HoldSilences keeps silences as they are until tx ends, whose time begins anew; it comes before every other lock.
	HoldSilences(ctx context.Context, tx *pg.Tx) error
	// MergeAlerts merges alerts, each once, into what is known; groups[i] is the group of alerts[i].
	MergeAlerts(ctx context.Context, tx *pg.Tx, alerts []alert.Alert, groups []string) error
}

// Settler looks at groups whose alerts changed.
type Settler interface {
	Settle(ctx context.Context, tx *pg.Tx, groups []alert.Group) error
}

// Config says how posts are read.
type Config struct {
	ResolveTimeout time.Duration                      // how long an alert fires after a post that names no end
	GroupBy        []string                           // labels that make a group
	Count          func(outcome string, alerts int64) // told what became of alerts: accepted, refused
}

// Intake takes alerts in.
type Intake struct {
	store   Store
	settler Settler
	config  Config
}

// New returns an Intake.
func New(s Store, settler Settler, c Config) *Intake {
	if c.Count == nil {
		c.Count = func(string, int64) {}
	}
	return &Intake{store: s, settler: settler, config: c}
}

// Result says what became of a batch.
type Result struct {
	Accepted int
	Refusals []Refusal
}

// Refusal says why a post was not kept.
type Refusal struct {
	At  int // the post's place in the batch, 0 = first
	Why string
}

// chunk bounds the alerts of one transaction: Prometheus' own batch. A storm of new incidents must not become one
// transaction that is undone when its sender gives up.
const chunk = 256

// Receive takes a batch in transactions of its own. When it returns without an error, what was accepted is durable; after
// an error some of it may be, and sending all of it again does no harm.
func (i *Intake) Receive(ctx context.Context, posts []alert.Post) (Result, error) {
	var all Result
	for first := 0; first < len(posts); first += chunk {
		part := posts[first:min(first+chunk, len(posts))]
		var result Result
		err := i.store.InTx(ctx, func(ctx context.Context, tx *pg.Tx) (err error) {
			result, err = i.take(ctx, tx, part, first)
			return err
		})
		if err != nil {
			return Result{}, err
		}
		all.Accepted += result.Accepted
		all.Refusals = append(all.Refusals, result.Refusals...)
		i.config.Count("accepted", int64(result.Accepted))
		i.config.Count("refused", int64(len(result.Refusals)))
	}
	return all, nil
}

// Take takes a batch in tx.
func (i *Intake) Take(ctx context.Context, tx *pg.Tx, posts []alert.Post) (Result, error) {
	return i.take(ctx, tx, posts, 0)
}

// take takes posts of which the first has the place first in the batch.
func (i *Intake) take(ctx context.Context, tx *pg.Tx, posts []alert.Post, first int) (Result, error) {
	// An alert that came while a silence ended would otherwise miss both the silence's last look and its own first.
	if err := i.store.HoldSilences(ctx, tx); err != nil {
		return Result{}, err
	}
	b := i.sort(posts, first, tx.Now)
	if len(b.alerts) == 0 {
		return b.result, nil
	}
	ids := make([]string, len(b.groups))
	for n, group := range b.groups {
		ids[n] = group.ID
	}
	if err := i.store.MergeAlerts(ctx, tx, b.alerts, ids); err != nil {
		return Result{}, err
	}
	return b.result, i.settler.Settle(ctx, tx, b.groups)
}

// batch is the posts that can be kept, each condition once.
type batch struct {
	result Result
	alerts []alert.Alert
	groups []alert.Group // of alerts[i]
}

func (i *Intake) sort(posts []alert.Post, first int, now time.Time) (b batch) {
	place := map[string]int{}
	for n, post := range posts {
		settled, err := post.Settle(now, i.config.ResolveTimeout)
		if err != nil {
			b.result.Refusals = append(b.result.Refusals, Refusal{At: first + n, Why: err.Error()})
			continue
		}
		b.result.Accepted++
		key := alert.Key(settled.Labels)
		if at, twice := place[key]; twice {
			b.alerts[at] = alert.Merge(b.alerts[at], settled)
			continue
		}
		place[key] = len(b.alerts)
		b.alerts = append(b.alerts, settled)
		b.groups = append(b.groups, alert.GroupOf(settled.Labels, i.config.GroupBy))
	}
	return b
}
