package rotatetest_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/naksha-cloud/naksha/pkg/sim"
	"github.com/naksha-cloud/naksha/services/rotation/internal/credential"
	"github.com/naksha-cloud/naksha/services/rotation/internal/rotate"
	"github.com/naksha-cloud/naksha/services/rotation/internal/rotatetest"
	"github.com/naksha-cloud/naksha/services/rotation/internal/rotation"
)

// TestSimulationCatches puts one flaw at a time into the service: each must break a rule within the seeds.
func TestSimulationCatches(t *testing.T) {
	t.Parallel()
	journal := func(wrap func(rotate.Journal) rotate.Journal) parts { return parts{journal: wrap} }
	driver := func(wrap func(rotate.Driver) rotate.Driver) parts { return parts{driver: wrap} }
	for name, flaw := range map[string]parts{
		"a stale replica that still has a say":       journal(unfenced),
		"an acknowledgement that nobody gave":        journal(func(j rotate.Journal) rotate.Journal { return hasty{j} }),
		"acts that nobody wrote down before":         journal(func(j rotate.Journal) rotate.Journal { return forgetful{j} }),
		"a problem that nobody is told":              journal(func(j rotate.Journal) rotate.Journal { return silent{j} }),
		"a promotion that is only half written":      journal(func(j rotate.Journal) rotate.Journal { return torn{j} }),
		"a rotation that is never looked at again":   journal(func(j rotate.Journal) rotate.Journal { return idle{j} }),
		"an old login that is dropped without proof": journal(func(j rotate.Journal) rotate.Journal { return credulous{j} }),
		"sessions that nobody sees":                  driver(func(d rotate.Driver) rotate.Driver { return blind{d} }),
		"a login that is not taken away":             driver(func(d rotate.Driver) rotate.Driver { return lazy{d} }),
		"the wrong login that is taken away":         driver(func(d rotate.Driver) rotate.Driver { return confused{d} }),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sim.Catch(t, rotations(flaw))
		})
	}
}

func unfenced(j rotate.Journal) rotate.Journal {
	j.(*rotatetest.Conn).Unfenced = true
	return j
}

type hasty struct{ rotate.Journal }

func (h hasty) Claim(ctx context.Context, owner string, limit int, d time.Duration) ([]*rotate.Lease, error) {
	leases, err := h.Journal.Claim(ctx, owner, limit, d)
	for _, l := range leases {
		l.Rotation.AcknowledgedAt = l.Rotation.CreatedAt
	}
	return leases, err
}

type forgetful struct{ rotate.Journal }

func (forgetful) Intend(context.Context, *rotate.Lease, rotation.Decision) error { return nil }

type silent struct{ rotate.Journal }

func (s silent) Record(ctx context.Context, l *rotate.Lease, o rotate.Outcome) error {
	o.Transition.Facts = slices.DeleteFunc(o.Transition.Facts, func(fact any) bool {
		_, blocked := fact.(rotation.RotationBlocked)
		return blocked
	})
	return s.Journal.Record(ctx, l, o)
}

type torn struct{ rotate.Journal }

func (t torn) Record(ctx context.Context, l *rotate.Lease, o rotate.Outcome) error {
	o.Transition.Activate = false
	return t.Journal.Record(ctx, l, o)
}

type idle struct{ rotate.Journal }

func (i idle) Park(ctx context.Context, l *rotate.Lease, r rotation.Rotation) error {
	r.DueAt = r.CreatedAt.AddDate(1, 0, 0)
	return i.Journal.Park(ctx, l, r)
}

type credulous struct{ rotate.Journal }

func (c credulous) Record(ctx context.Context, l *rotate.Lease, o rotate.Outcome) error {
	if o.Transition.Next.State == rotation.Quarantined {
		o.Transition.Next.State = rotation.ProvenDead
	}
	return c.Journal.Record(ctx, l, o)
}

type blind struct{ rotate.Driver }

func (b blind) Observe(ctx context.Context, n credential.Name) (map[int32]rotation.Presence, error) {
	found, err := b.Driver.Observe(ctx, n)
	for number, p := range found {
		p.Sessions, p.LastSeen = 0, time.Time{}
		found[number] = p
	}
	return found, err
}

type lazy struct{ rotate.Driver }

func (lazy) Disable(context.Context, rotate.Target) (string, error) { return "disabled", nil }

type confused struct{ rotate.Driver }

func (c confused) Disable(ctx context.Context, t rotate.Target) (string, error) {
	t.Generation++
	return c.Driver.Disable(ctx, t)
}
