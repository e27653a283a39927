package rotatetest

import (
	"context"
	"slices"
	"time"

	"github.com/naksha-cloud/naksha/services/rotation/internal/credential"
	"github.com/naksha-cloud/naksha/services/rotation/internal/generation"
	"github.com/naksha-cloud/naksha/services/rotation/internal/rotate"
	"github.com/naksha-cloud/naksha/services/rotation/internal/rotation"
)

// Claim leases what is due and in nobody's hands.
func (c *Conn) Claim(ctx context.Context, _ string, limit int, lease time.Duration) ([]*rotate.Lease, error) {
	now := c.now()
	return askTx(ctx, c, "claim", func() (leases []*rotate.Lease, err error) {
		due := c.record.due(now)
		for _, r := range due[:min(limit, len(due))] {
			r.Epoch++
			r.LeaseUntil = now.Add(lease)
			leases = append(leases, &rotate.Lease{Rotation: r.Rotation, Epoch: r.Epoch, For: lease})
		}
		return leases, nil
	})
}

// Intend puts an act on record before it is done.
func (c *Conn) Intend(ctx context.Context, l *rotate.Lease, d rotation.Decision) error {
	held, now := *l, c.now()
	return c.tell(ctx, l, "intend "+string(d.Action), func() (rotation.Rotation, error) {
		if err := c.extend(held, now.Add(held.For)); err != nil {
			return held.Rotation, err
		}
		c.record.intend(held.Rotation.ID, d.Action)
		return held.Rotation, nil
	})
}

// Record writes an outcome with all that follows.
func (c *Conn) Record(ctx context.Context, l *rotate.Lease, o rotate.Outcome) error {
	held, now := *l, c.now()
	return c.tell(ctx, l, "record "+string(o.Decision.Action), func() (rotation.Rotation, error) {
		saved, err := c.save(held, o.Transition.Next, now.Add(held.For), now)
		if err != nil {
			return saved, err
		}
		c.record.Reasons[o.Decision.Reason]++
		c.record.Reasons[o.Transition.Next.Blocked.Reason]++
		c.record.follow(held.Rotation, o, now)
		return saved, nil
	})
}

// Park writes r and ends the lease.
func (c *Conn) Park(ctx context.Context, l *rotate.Lease, r rotation.Rotation) error {
	held, now := *l, c.now()
	return c.tell(ctx, l, "park", func() (rotation.Rotation, error) { return c.save(held, r, time.Time{}, now) })
}

// Release ends the lease.
func (c *Conn) Release(ctx context.Context, l *rotate.Lease) error {
	held := *l
	return c.tell(ctx, l, "release", func() (rotation.Rotation, error) {
		return held.Rotation, c.extend(held, time.Time{})
	})
}

// tell is one write under a lease, which then has what is written.
func (c *Conn) tell(ctx context.Context, l *rotate.Lease, name string, effect func() (rotation.Rotation, error)) error {
	saved, err := askTx(ctx, c, name+" "+string(l.Rotation.Credential.Owner()), effect)
	if err == nil {
		l.Rotation = saved
	}
	return err
}

// Secret is that of a generation; zero for one that was minted elsewhere or is erased.
func (c *Conn) Secret(ctx context.Context, n credential.Name, number int32) (generation.Secret, error) {
	return ask(ctx, c, "secret "+n.Owner(), func() (generation.Secret, error) {
		return c.record.Generations[n][number].Secret, nil
	})
}

// Survey looks over everything that is under way.
func (c *Conn) Survey(ctx context.Context) (rotate.Survey, error) {
	return ask(ctx, c, "survey", func() (v rotate.Survey, err error) {
		for _, r := range c.record.Rotations {
			if !r.EndedAt.IsZero() {
				continue
			}
			next := r.DueAt
			if r.LeaseUntil.After(next) {
				next = r.LeaseUntil
			}
			if v.Active++; v.NextDue.IsZero() || next.Before(v.NextDue) {
				v.NextDue = next
			}
		}
		return v, nil
	})
}

// extend prolongs or ends a lease; ErrFenced when it was lost.
func (c *Conn) extend(l rotate.Lease, until time.Time) error {
	r := c.record.byID(l.Rotation.ID)
	if r == nil || r.Epoch != l.Epoch && !c.Unfenced {
		return rotate.ErrFenced
	}
	r.LeaseUntil = until
	return nil
}

// save writes next under l's epoch and returns it with the newest inputs; one that l has not seen makes it due at once.
func (c *Conn) save(l rotate.Lease, next rotation.Rotation, until, now time.Time) (rotation.Rotation, error) {
	if err := c.extend(l, until); err != nil {
		return rotation.Rotation{}, err
	}
	r := c.record.byID(next.ID)
	inputs := r.Inputs
	r.Rotation = next
	r.Inputs = inputs
	if r.DueAt.IsZero() || inputs.Count != l.Rotation.Count {
		r.DueAt = now
	}
	return r.Rotation, nil
}

// follow writes what else an outcome brings: the active generation, generations, the journal, facts.
func (t *Tables) follow(was rotation.Rotation, o rotate.Outcome, now time.Time) {
	n := was.Credential
	if o.Transition.Activate {
		c := t.Credentials[n]
		c.Active, c.ActiveAt = was.New, now
		t.Credentials[n] = c
	}
	if _, exists := t.Generations[n][was.New]; !exists && !o.Secret.Zero() {
		t.Generations[n][was.New] = Generation{State: generation.Minted, Secret: o.Secret}
	}
	for _, change := range o.Transition.Generations {
		if g, exists := t.Generations[n][change.Generation]; exists {
			g.State = change.State
			if change.Erase {
				g.Secret = generation.Secret{}
			}
			t.Generations[n][change.Generation] = g
		}
	}
	t.conclude(was.ID, o)
	t.Facts = append(t.Facts, o.Transition.Facts...)
}

// intend opens an act, or has the open one become another.
func (t *Tables) intend(id string, a rotation.Action) {
	if open := t.open(id); open != nil {
		open.Intents = append(slices.Clone(open.Intents), a)
		return
	}
	t.Journal = append(t.Journal, Act{Rotation: id, Intents: []rotation.Action{a}})
}

// conclude closes the open act, or adds one that needed no intent.
func (t *Tables) conclude(id string, o rotate.Outcome) {
	e := o.Transition.Entry
	if e.State == "" {
		return
	}
	if open := t.open(id); open != nil {
		open.Entry = e
		return
	}
	t.Journal = append(t.Journal, Act{Rotation: id, Entry: e})
}

func (t *Tables) open(id string) *Act {
	i := slices.IndexFunc(t.Journal, func(a Act) bool { return a.Rotation == id && a.Entry.State == "" })
	if i < 0 {
		return nil
	}
	return &t.Journal[i]
}
